// F32: IEEE 754 single precision, little-endian. 32 bits per weight, exact. Products are the work
// of core/ops.
#include <cstring>

#include "quant/format.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"f32", 0, 1, 4, 0, ActivationKind::kF32};

void dequantize(const std::byte* blocks, int64_t n, float* out) { std::memcpy(out, blocks, 4 * n); }
void quantize(const float* x, int64_t n, std::byte* blocks) { std::memcpy(blocks, x, 4 * n); }

}  // namespace

extern const Kernels f32_kernels;
constinit const Kernels f32_kernels = {&kFormat, dequantize, quantize, nullptr,
                                       nullptr,  nullptr,    nullptr};

}  // namespace nibble::quant::NIBBLE_ISA
