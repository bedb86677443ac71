// MXFP4 (quant/layouts/blocks32.h): the codes are F + 16.
#include "quant/kernels/block32.h"
#include "quant/kernels/nibbles32.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr uint8_t kCodes[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

struct MXFP4 : Table32<layout::MXFP4, kCodes> {
  static constexpr int kMaxCode = 28, kOffsetShift = 4;
  static constexpr bool kPowersOfTwo = true;

  static float power(uint8_t e) {  // 2^(e - 128); subnormal for 0 and 1
    return std::bit_cast<float>(e < 2 ? 0x200000u << e : static_cast<uint32_t>(e - 1) << 23);
  }
  static float scale(const Block& b) { return power(b.e); }
  template <class S>
  static typename S::Floats scales_of_rows(typename S::Rows rows, size_t at) {
    if constexpr (requires { S::powers_of_rows(rows, at); }) return S::powers_of_rows(rows, at);
    alignas(64) float d[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) d[r] = power(static_cast<uint8_t>(rows[r][at]));
    return S::load_floats(d);
  }
  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    return blocks.template powers<offsetof(Block, e)>();
  }
};

}  // namespace

extern const Kernels mxfp4_kernels;
constinit const Kernels mxfp4_kernels = Block32<MXFP4>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
