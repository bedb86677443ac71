// Q5_K (quant/layouts/blocks256.h): the codes are q.
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_K : Scales6<layout::Q5_K> {
  static constexpr int kMaxCode = 31, kOffsetShift = -1;
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
