// F16: IEEE 754 half precision, little-endian. 16 bits per weight; encoding rounds to nearest even
// (2^-11 relative).
#include "quant/isa/isa.h"
#include "quant/kernels/float16.h"
#include "quant/kernels/float_gemm.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"f16", 1, 1, 2, 0.5f, ActivationKind::kFloat16};

struct F16 {
  static constexpr int kBytes = 2;
  static Lanes to_float(lanes::Words words) { return lanes::half_to_float(words); }
  static Lanes load(const std::byte* p) { return to_float(lanes::load_words(p)); }
};

void quantize(const float* x, int64_t n, std::byte* blocks) {
  auto* h = reinterpret_cast<Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) h[i] = to_half(x[i]);
}

}  // namespace

extern const Kernels f16_kernels;
constinit const Kernels f16_kernels = {.format = &kFormat,
                                       .dequantize = decode_float16<F16>,
                                       .quantize = quantize,
                                       .gemv = gemv_float16<F16>,
                                       .gemm = kFloatGemm<F16>};

}  // namespace nibble::quant::NIBBLE_ISA
