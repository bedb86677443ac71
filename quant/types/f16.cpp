// F16: IEEE 754 half precision, little-endian. 16 bits per weight; encoding rounds to nearest even
// (2^-11 relative). Prompts go through the dense products of core/ops.
#include "quant/isa/isa.h"
#include "quant/kernels/float16.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"f16", 1, 1, 2, 0.5f, ActivationKind::kFloat16};

struct F16 {
  static Lanes to_float(lanes::Words words) { return lanes::half_to_float(words); }
};

void quantize(const float* x, int64_t n, std::byte* blocks) {
  auto* h = reinterpret_cast<Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) h[i] = to_half(x[i]);
}

}  // namespace

extern const Kernels f16_kernels;
constinit const Kernels f16_kernels = {
    &kFormat, decode_float16<F16>, quantize, gemv_float16<F16>, nullptr, nullptr, nullptr};

}  // namespace nibble::quant::NIBBLE_ISA
