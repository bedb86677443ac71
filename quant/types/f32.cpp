// F32: IEEE 754 single precision, little-endian. 32 bits per weight, exact. Row products are the
// work of core/ops.
#include <cstring>

#include "quant/kernels/float_gemm.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"f32", 0, 1, 4, 0, ActivationKind::kF32};

struct F32 {
  static constexpr int kBytes = 4;
  static Lanes load(const std::byte* p) { return lanes::load(p); }
};

void dequantize(const std::byte* blocks, int64_t n, float* out) { std::memcpy(out, blocks, 4 * n); }
void quantize(const float* x, int64_t n, std::byte* blocks) { std::memcpy(blocks, x, 4 * n); }

}  // namespace

extern const Kernels f32_kernels;
constinit const Kernels f32_kernels = {
    .format = &kFormat, .dequantize = dequantize, .quantize = quantize, .gemm = kFloatGemm<F32>};

}  // namespace nibble::quant::NIBBLE_ISA
