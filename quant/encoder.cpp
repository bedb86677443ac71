// The registry of encoders, made like that of the kernels in quant/format.cpp.
#include "quant/encoder.h"

#include <array>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "quant/dispatch.h"

namespace nibble::quant {

#define X(isa, from, file)             \
  namespace from {                     \
  extern const Encoder file##_encoder; \
  }
#include "encoders_kernels.inc"
#undef X

namespace {

constexpr size_t kTypes = 64;

struct Row {
  std::string_view isa;
  const Encoder* encoder;
};
constexpr Row kRows[] = {
#define X(isa, from, file) {#isa, &from::file##_encoder},
#include "encoders_kernels.inc"
#undef X
};

using ByType = std::array<const Encoder*, kTypes>;

const std::vector<ByType>& registry() {  // [isa]
  static const auto all = [] {
    std::vector<ByType> found(compiled_isas().size(), ByType{});
    for (const Row& row : kRows)
      for (size_t isa = 0; isa < found.size(); ++isa)
        if (compiled_isas()[isa] == row.isa) found[isa].at(row.encoder->gguf_type) = row.encoder;
    return found;
  }();
  return all;
}

}  // namespace

const Encoder* find_encoder(const Format& format) {
  NIBBLE_ASSERT(format.gguf_type < kTypes);
  return registry()[static_cast<size_t>(isa_index())][format.gguf_type];
}

}  // namespace nibble::quant
