// Q5_K: Q4_K with a fifth bit for each weight; 5.5 bits per weight.
//   w = d * scale[g] * q - dmin * min[g],  q in 0..31. The fifth bit of weight l of group g is bit
//   g of qh[l].
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_K {
  static constexpr Format format{"q5_k", 13, 256, 176, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 31, kOffsetShift = -1, kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static float dmin(const Block& b) { return to_float(b.dmin); }
  static void groups(const Block& b, int8_t* scale, int8_t* min) {
    unpack_scales6(b.scales, scale, min);
  }
  template <class S>
  static void heads_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                            typename S::Bytes (&min)[4], typename S::Floats& d,
                            typename S::Floats& dmin) {
    static_assert(offsetof(Block, d) == 0 && offsetof(Block, dmin) == 2 &&
                  offsetof(Block, scales) == 4);
    heads6_of_rows<S>(rows, at, scale, min, d, dmin);
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i) {
        const int high = b.qh[i] >> (2 * c);
        q[64 * c + i] = static_cast<uint8_t>((b.qs[32 * c + i] & 15) | (high & 1) << 4);
        q[64 * c + 32 + i] = static_cast<uint8_t>(b.qs[32 * c + i] >> 4 | (high & 2) << 3);
      }
  }

  template <class S, int kChunk>
  static void unpack_chunk(typename S::Rows rows, size_t at, const typename S::Bytes (&high)[8],
                           uint8_t (*q)[kPanelRows][4]) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      typename S::Bytes t[4];
      S::transpose(rows, at + offsetof(Block, qs) + 32 * kChunk + 16 * half, t);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        const auto h = high[4 * half + k];
        S::store(q[4 * half + k],
                 S::join(S::template bits<0, 15>(t[k]), S::template bits<2 * kChunk - 4, 16>(h)));
        S::store(q[8 + 4 * half + k],
                 S::join(S::template bits<4, 15>(t[k]), S::template bits<2 * kChunk - 3, 16>(h)));
      }
    }
  }
  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    typename S::Bytes first[4], second[4];
    S::transpose(rows, at + offsetof(Block, qh), first);
    S::transpose(rows, at + offsetof(Block, qh) + 16, second);
    const typename S::Bytes high[8] = {first[0],  first[1],  first[2],  first[3],
                                       second[0], second[1], second[2], second[3]};
    unpack_chunk<S, 0>(rows, at, high, q);
    unpack_chunk<S, 1>(rows, at, high, q + 16);
    unpack_chunk<S, 2>(rows, at, high, q + 32);
    unpack_chunk<S, 3>(rows, at, high, q + 48);
  }
  template <class S, int g>
  static auto unpack_run(const Block& b) {
    return S::join(S::template bits<4 * (g % 2), 15>(S::load(b.qs + g / 2 * 32)),
                   S::template bits<g - 4, 16>(S::load(b.qh)));
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
    const auto first = S::load(b.qs), second = S::load(b.qs + 64), high = S::twice(b.qh);
    q[0] = S::join(S::template bits<0, 15>(first), S::template split_bits<-4, -2, 16>(high));
    q[1] = S::join(S::template bits<4, 15>(first), S::template split_bits<-3, -1, 16>(high));
    q[2] = S::join(S::template bits<0, 15>(second), S::template split_bits<0, 2, 16>(high));
    q[3] = S::join(S::template bits<4, 15>(second), S::template split_bits<1, 3, 16>(high));
  }
};

}  // namespace

extern const Kernels q5_k_kernels;
constinit const Kernels q5_k_kernels = Block256<Q5_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
