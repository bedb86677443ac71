// BF16: the upper half of a single-precision number, little-endian. 16 bits per weight; encoding
// rounds to nearest even (2^-8 relative). Prompts go through the bf16 unit where the processor has
// one.
#include "quant/isa/isa.h"
#include "quant/kernels/float16.h"
#include "quant/kernels/float_gemm.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr Format kFormat{"bf16", 30, 1, 2, 0.5f, ActivationKind::kFloat16};

struct Bf16 {
  static constexpr int kBytes = 2;
  static Lanes to_float(lanes::Words words) { return lanes::bf16_to_float(words); }
  static Lanes load(const std::byte* p) { return lanes::load_bf16(p); }
};

void quantize(const float* x, int64_t n, std::byte* blocks) {
  auto* h = reinterpret_cast<Half*>(blocks);
  for (int64_t i = 0; i < n; ++i) {
    const uint16_t bits = float_to_bf16_bits(x[i]);
    h[i] = {{static_cast<uint8_t>(bits & 0xff), static_cast<uint8_t>(bits >> 8)}};
  }
}

}  // namespace

extern const Kernels bf16_kernels;
constinit const Kernels bf16_kernels = {.format = &kFormat,
                                        .dequantize = decode_float16<Bf16>,
                                        .quantize = quantize,
                                        .gemv = gemv_float16<Bf16>,
                                        .panel_bytes = kBf16Panel.bytes,
                                        .expand_panel = kBf16Panel.expand,
                                        .multiply_panel = kBf16Panel.multiply,
                                        .gemm = kFloatGemm<Bf16>,
                                        .has_panels = kBf16Panel.runs_here};

}  // namespace nibble::quant::NIBBLE_ISA
