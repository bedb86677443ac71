// Which of the compiled tables is in use.
#include "core/ops/kernels/kernels.h"

#include <string_view>

#include "core/base/assert.h"
#include "quant/dispatch.h"

namespace nibble::kernels {

// generated/ops_kernels.inc has a line for each file and instruction set; one file holds the table.
#define X(isa, file) NIBBLE_IN_##file(isa)
#define NIBBLE_IN_dense_tile(isa)
#define NIBBLE_IN_prompt_chunk(isa)
#define NIBBLE_IN_prompt_chunk_bf16(isa)
#define NIBBLE_IN_token_chunk(isa)
#define NIBBLE_IN_peak(isa)
#define NIBBLE_IN_row_ops(isa)
#define NIBBLE_IN_kv_rows(isa)
#define NIBBLE_IN_table(isa)     \
  namespace isa {                \
  extern const OpsKernels table; \
  }
#include "ops_kernels.inc"

namespace {

struct Row {
  std::string_view isa;
  const OpsKernels* table;
};
#undef NIBBLE_IN_table
#define NIBBLE_IN_table(isa) {#isa, &isa::table},
constexpr Row kRows[] = {
#include "ops_kernels.inc"
};

}  // namespace

const OpsKernels& ops_kernels() {
  const std::string_view name = quant::isa_name();
  for (const Row& row : kRows)
    if (row.isa == name) return *row.table;
  NIBBLE_ASSERT(false && "every instruction set has a table");
  return *kRows[0].table;
}

}  // namespace nibble::kernels
