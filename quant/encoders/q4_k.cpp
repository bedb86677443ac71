// Encodes Q4_K: see quant/layouts/blocks256.h.
#include "quant/encoders/scales6.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_K : Scales6<layout::Q4_K>, Uniform<0, 15> {};

}  // namespace

extern const Encoder q4_k_encoder;
constinit const Encoder q4_k_encoder = Blocks256<Q4_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
