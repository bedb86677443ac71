// Q6_K (quant/layouts/blocks256.h): the codes are q.
#include <cstring>

#include "quant/kernels/block256.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q6_K : HalfFactors<layout::Q6_K> {
  static constexpr int kMaxCode = 63, kOffsetShift = 5;
  static void groups(const Block& b, int8_t* scale, int8_t*) { std::memcpy(scale, b.scales, 16); }
  template <class S>
  static void groups_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                             typename S::Bytes (&)[4]) {
    S::transpose(rows, at + offsetof(Block, scales), scale);
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int h = 0; h < 2; ++h, q += 128)
      for (int i = 0; i < 32; ++i) {
        const int low = b.ql[64 * h + i], next = b.ql[64 * h + 32 + i], high = b.qh[32 * h + i];
        q[i] = static_cast<uint8_t>((low & 15) | (high & 3) << 4);
        q[32 + i] = static_cast<uint8_t>((next & 15) | (high >> 2 & 3) << 4);
        q[64 + i] = static_cast<uint8_t>(low >> 4 | (high >> 4 & 3) << 4);
        q[96 + i] = static_cast<uint8_t>(next >> 4 | (high >> 6) << 4);
      }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    for (int i = 0; i < 4; ++i) {  // 16 weights of each run of one half
      const int half = i / 2, part = i % 2;
      const size_t ql = at + offsetof(Block, ql) + 64 * half + 16 * part;
      typename S::Bytes low[4], next[4], high[4];
      S::transpose(rows, ql, low);
      S::transpose(rows, ql + 32, next);
      S::transpose(rows, at + offsetof(Block, qh) + 32 * half + 16 * part, high);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        auto* out = q + 32 * half + 4 * part + k;
        S::store(out[0],
                 S::join(S::template bits<0, 15>(low[k]), S::template bits<-4, 48>(high[k])));
        S::store(out[8],
                 S::join(S::template bits<0, 15>(next[k]), S::template bits<-2, 48>(high[k])));
        S::store(out[16],
                 S::join(S::template bits<4, 15>(low[k]), S::template bits<0, 48>(high[k])));
        S::store(out[24],
                 S::join(S::template bits<4, 15>(next[k]), S::template bits<2, 48>(high[k])));
      }
    }
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const auto high = S::twice(b.qh + 32 * half);
      q[2 * half] = S::join(S::template split_bits<0, 4, 15>(S::twice(b.ql + 64 * half)),
                            S::template split_bits<-4, 0, 48>(high));
      q[2 * half + 1] = S::join(S::template split_bits<0, 4, 15>(S::twice(b.ql + 64 * half + 32)),
                                S::template split_bits<-2, 2, 48>(high));
    }
  }
};

}  // namespace

extern const Kernels q6_k_kernels;
constinit const Kernels q6_k_kernels = Block256<Q6_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
