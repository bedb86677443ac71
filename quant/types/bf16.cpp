// BF16: the upper half of a single-precision number, little-endian. 16 bits per weight; encoding
// rounds to nearest even (2^-8 relative). Products are the work of core/ops.
#include "quant/format.h"
#include "quant/isa/isa.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"bf16", 30, 1, 2, 0.5f, ActivationKind::kF32};

void dequantize(const std::byte* blocks, int64_t n, float* out) {
  const auto* h = reinterpret_cast<const Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) out[i] = bf16_bits_to_float(h[i].bits());
}

void quantize(const float* x, int64_t n, std::byte* blocks) {
  auto* h = reinterpret_cast<Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) {
    const uint16_t bits = float_to_bf16_bits(x[i]);
    h[i] = {{static_cast<uint8_t>(bits & 0xff), static_cast<uint8_t>(bits >> 8)}};
  }
}

}  // namespace

extern const Kernels bf16_kernels;
constinit const Kernels bf16_kernels = {&kFormat, dequantize, quantize, nullptr,
                                        nullptr,  nullptr,    nullptr};

}  // namespace nibble::quant::NIBBLE_ISA
