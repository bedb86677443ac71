// F16: IEEE 754 half precision, little-endian. 16 bits per weight; encoding rounds to nearest even
// (2^-11 relative). Products are the work of core/ops.
#include "quant/format.h"
#include "quant/isa/isa.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"f16", 1, 1, 2, 0.5f, ActivationKind::kF32};

void dequantize(const std::byte* blocks, int64_t n, float* out) {
  const auto* h = reinterpret_cast<const Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) out[i] = to_float(h[i]);
}

void quantize(const float* x, int64_t n, std::byte* blocks) {
  auto* h = reinterpret_cast<Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) h[i] = to_half(x[i]);
}

}  // namespace

extern const Kernels f16_kernels;
constinit const Kernels f16_kernels = {&kFormat, dequantize, quantize, nullptr,
                                       nullptr,  nullptr,    nullptr};

}  // namespace nibble::quant::NIBBLE_ISA
