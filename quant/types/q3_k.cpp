// Q3_K (quant/layouts/blocks256.h): the codes are q.
#include "quant/kernels/block256.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q3_K : HalfFactors<layout::Q3_K> {
  static constexpr int kMaxCode = 7, kOffsetShift = 2;
  static constexpr int kFoldedOffset = 124;  // products are -124 = 31 * -4 .. 128 = -32 * -4
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    const uint64_t low = load_bytes8(b.scales);
    const uint32_t high = load_u32(b.scales + 8);
    const auto upper = [high](int shift) {
      const uint64_t two = high >> shift | uint64_t{high} >> (shift + 2) << 32;
      return (two & 3 * kOnes8) << 4;
    };
    store_bytes8(scale, minus_32((low & 15 * kOnes8) | upper(0)));
    store_bytes8(scale + 8, minus_32((low >> 4 & 15 * kOnes8) | upper(4)));
  }
  template <class S>
  static void groups_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                             typename S::Bytes (&)[4]) {
    static_assert(offsetof(Block, scales) >= 4);  // the four bytes before them are not used
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, scales) - 4, t);
    const auto upper = t[3];
    const auto whole = [](auto low, auto high) { return S::plus(S::join(low, high), -32); };
    scale[0] = whole(S::template bits<0, 15>(t[1]), S::template bits<-4, 48>(upper));
    scale[1] = whole(S::template bits<0, 15>(t[2]), S::template bits<-2, 48>(upper));
    scale[2] = whole(S::template bits<4, 15>(t[1]), S::template bits<0, 48>(upper));
    scale[3] = whole(S::template bits<4, 15>(t[2]), S::template bits<2, 48>(upper));
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int h = 0; h < 2; ++h)
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 32; ++i)
          q[128 * h + 32 * j + i] = static_cast<uint8_t>((b.qs[32 * h + i] >> 2 * j & 3) |
                                                         (b.hmask[i] >> (4 * h + j) & 1) << 2);
  }

  // 16 weights of each run of half h, the first or the second 16.
  template <class S, int h>
  static void unpack_part(typename S::Rows rows, size_t at, int part, uint8_t (*q)[kPanelRows][4]) {
    typename S::Bytes low[4], high[4];
    S::transpose(rows, at + offsetof(Block, qs) + 32 * h + 16 * part, low);
    S::transpose(rows, at + offsetof(Block, hmask) + 16 * part, high);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      auto* out = q + 32 * h + 4 * part + k;
      const auto l = low[k], m = high[k];
      S::store(out[0], S::join(S::template bits<0, 3>(l), S::template bits<4 * h - 2, 4>(m)));
      S::store(out[8], S::join(S::template bits<2, 3>(l), S::template bits<4 * h - 1, 4>(m)));
      S::store(out[16], S::join(S::template bits<4, 3>(l), S::template bits<4 * h, 4>(m)));
      S::store(out[24], S::join(S::template bits<6, 3>(l), S::template bits<4 * h + 1, 4>(m)));
    }
  }
  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    for (int part = 0; part < 2; ++part) {
      unpack_part<S, 0>(rows, at, part, q);
      unpack_part<S, 1>(rows, at, part, q);
    }
  }
  template <class S, int h>
  static void unpack_half(const Block& b, typename S::Bytes (&q)[4]) {
    const auto low = S::twice(b.qs + 32 * h), high = S::twice(b.hmask);
    q[2 * h] = S::join(S::template split_bits<0, 4, 3>(low),
                       S::template split_bits<4 * h - 2, 4 * h, 4>(high));
    q[2 * h + 1] = S::join(S::template split_bits<2, 6, 3>(low),
                           S::template split_bits<4 * h - 1, 4 * h + 1, 4>(high));
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
    unpack_half<S, 0>(b, q);
    unpack_half<S, 1>(b, q);
  }
};

}  // namespace

extern const Kernels q3_k_kernels;
constinit const Kernels q3_k_kernels = Block256<Q3_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
