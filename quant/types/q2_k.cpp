// Q2_K (quant/layouts/blocks256.h): the codes are q.
#include "quant/kernels/block256.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q2_K : HalfFactors<layout::Q2_K> {
  static constexpr int kMaxCode = 3, kOffsetShift = -1;
  static constexpr int kFoldedOffset = 0;  // products are 0..45
  static void groups(const Block& b, int8_t* scale, int8_t* min) {
    const uint64_t first = load_bytes8(b.scales), second = load_bytes8(b.scales + 8);
    store_bytes16(scale, first & 15 * kOnes8, second & 15 * kOnes8);
    store_bytes16(min, first >> 4 & 15 * kOnes8, second >> 4 & 15 * kOnes8);
  }
  template <class S>
  static void groups_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                             typename S::Bytes (&min)[4]) {
    S::transpose(rows, at + offsetof(Block, scales), scale);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      min[k] = S::template bits<4, 15>(scale[k]);
      scale[k] = S::template bits<0, 15>(scale[k]);
    }
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int h = 0; h < 2; ++h)
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 32; ++i) q[128 * h + 32 * j + i] = b.qs[32 * h + i] >> 2 * j & 3;
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    for (int i = 0; i < 4; ++i) {  // 16 weights of each run of one half
      typename S::Bytes t[4];
      S::transpose(rows, at + offsetof(Block, qs) + 16 * i, t);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        auto* out = q + 32 * (i / 2) + 4 * (i % 2) + k;
        S::store(out[0], S::template bits<0, 3>(t[k]));
        S::store(out[8], S::template bits<2, 3>(t[k]));
        S::store(out[16], S::template bits<4, 3>(t[k]));
        S::store(out[24], S::template bits<6, 3>(t[k]));
      }
    }
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
    for (int h = 0; h < 2; ++h) {
      const auto four = S::twice(b.qs + 32 * h);
      q[2 * h] = S::template split_bits<0, 4, 3>(four);
      q[2 * h + 1] = S::template split_bits<2, 6, 3>(four);
    }
  }
};

}  // namespace

extern const Kernels q2_k_kernels;
constinit const Kernels q2_k_kernels = Block256<Q2_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
