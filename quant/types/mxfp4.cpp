// MXFP4: 32 weights of four bits (E2M1) share a power of two; 4.25 bits per weight. OCP
// Microscaling Formats 1.0.
//   w[i] = 2^(e - 128) * F[nibble], F = 0 1 2 3 4 6 8 12 and their negatives: twice the E2M1
// value. The codes are F + 16. Nibbles as in Q4_0. e = 255 is a number here, as in llama.cpp.
#include "quant/kernels/block32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

constexpr uint8_t kCodes[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

struct MXFP4 {
  static constexpr Format format{"mxfp4", 39, 32, 17, 0, ActivationKind::kQ8x32};
  static constexpr int kMaxCode = 28, kOffsetShift = 4;
  static constexpr bool kHasMin = false, kPowersOfTwo = true;
  struct Block {
    uint8_t e;
    uint8_t qs[16];
  };

  static float power(uint8_t e) {  // 2^(e - 128); subnormal for 0 and 1
    return std::bit_cast<float>(e < 2 ? 0x200000u << e : static_cast<uint32_t>(e - 1) << 23);
  }
  static float scale(const Block& b) { return power(b.e); }
  static void codes(const Block& b, uint8_t* q) {
    for (int i = 0; i < 16; ++i) {
      q[i] = kCodes[b.qs[i] & 15];
      q[16 + i] = kCodes[b.qs[i] >> 4];
    }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    const auto table = S::table16(kCodes);
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, qs), t);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      q[k] = S::lookup(table, S::template bits<0, 15>(t[k]));
      q[4 + k] = S::lookup(table, S::template bits<4, 15>(t[k]));
    }
  }
  template <class S>
  static typename S::Floats scales_of_rows(typename S::Rows rows, size_t at) {
    if constexpr (requires { S::powers_of_rows(rows, at); }) return S::powers_of_rows(rows, at);
    alignas(64) float d[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) d[r] = power(static_cast<uint8_t>(rows[r][at]));
    return S::load_floats(d);
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto table = S::table16(kCodes);
    const auto qs = blocks.template field16<offsetof(Block, qs)>();
    lo = S::lookup(table, S::template bits<0, 15>(qs));
    hi = S::lookup(table, S::template bits<4, 15>(qs));
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
