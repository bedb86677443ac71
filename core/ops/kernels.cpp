// Which of the compiled tables is in use.
#include "core/ops/kernels/kernels.h"

#include <string_view>

#include "core/base/assert.h"
#include "quant/dispatch.h"

namespace nibble::kernels {

// generated/ops_kernels.inc has a line for each file and instruction set; one file holds the table.
#define X(isa, from, file) NIBBLE_IN_##file(isa, from)
#define NIBBLE_IN_dot(isa, from)
#define NIBBLE_IN_prompt_chunk(isa, from)
#define NIBBLE_IN_prompt_chunk_bf16(isa, from)
#define NIBBLE_IN_token_chunk(isa, from)
#define NIBBLE_IN_row_ops(isa, from)
#define NIBBLE_IN_kv_rows(isa, from)
#define NIBBLE_IN_table(isa, from) \
  namespace from {                 \
  extern const OpsKernels table;   \
  }
#include "ops_kernels.inc"
#undef X
#define X(isa, from, file)                        \
  namespace from {                                \
  int64_t file##_multiply_adds(int64_t);          \
  uint64_t file##_read(const std::byte*, size_t); \
  }
#include "roof_kernels.inc"
#undef X

namespace {

struct Row {
  std::string_view isa;
  const OpsKernels* table;
};
#undef NIBBLE_IN_table
#define NIBBLE_IN_table(isa, from) {#isa, &from::table},
#define X(isa, from, file) NIBBLE_IN_##file(isa, from)
constexpr Row kRows[] = {
#include "ops_kernels.inc"
};
#undef X

struct Roof {
  std::string_view isa;
  int64_t (*multiply_adds)(int64_t);
  uint64_t (*read)(const std::byte*, size_t);
};
#define X(isa, from, file) {#isa, from::file##_multiply_adds, from::file##_read},
constexpr Roof kRoofs[] = {
#include "roof_kernels.inc"
};
#undef X

// The one of rows that is for the instruction set in use.
template <class Rows>
const auto& in_use(const Rows& rows) {
  const std::string_view name = quant::isa_name();
  for (const auto& row : rows)
    if (row.isa == name) return row;
  NIBBLE_ASSERT(false && "every instruction set has a row");
  return rows[0];
}

}  // namespace

const OpsKernels& ops_kernels() {
  static const OpsKernels& kernels = *in_use(kRows).table;
  return kernels;
}
int64_t peak_multiply_adds(int64_t rounds) { return in_use(kRoofs).multiply_adds(rounds); }
uint64_t peak_read(const std::byte* data, size_t n_bytes) {
  return in_use(kRoofs).read(data, n_bytes);
}

}  // namespace nibble::kernels
