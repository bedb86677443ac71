// IQ4_XS (quant/layouts/blocks256.h): the codes are T + 128.
#include "quant/kernels/block256.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/non_linear.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_XS : HalfFactors<layout::IQ4_XS> {
  static constexpr int kMaxCode = 241, kOffsetShift = 7;
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_bytes8(scale,
                 minus_32(nibbles8(load_u32(b.scales_l)) | pairs8(load_u16(b.scales_h)) << 4));
  }
  template <class S, int kHalf>  // scales of groups 4 kHalf .. 4 kHalf + 3
  static typename S::Bytes scales_of(typename S::Bytes head, typename S::Bytes low) {
    const auto nibbles =
        S::template dword_spread<8, 0x00ff00ff>(S::template dword_bits<16 * kHalf, 0xffff>(low));
    const auto pairs = S::template dword_spread<12, 0x000f000f>(
        S::template dword_bits<16 + 8 * kHalf, 0xff>(head));
    return S::plus(
        S::join(S::template dword_spread<4, 0x0f0f0f0f>(nibbles),
                S::template bits<-4, 48>(S::template dword_spread<6, 0x03030303>(pairs))),
        -32);
  }
  template <class S>
  static void heads_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                            typename S::Bytes (&)[4], typename S::Floats& d, typename S::Floats&) {
    static_assert(offsetof(Block, d) == 0 && offsetof(Block, scales_h) == 2 &&
                  offsetof(Block, scales_l) == 4);
    typename S::Bytes t[4];
    S::transpose(rows, at, t);
    d = S::template dword_halves<0>(t[0]);
    scale[0] = scales_of<S, 0>(t[0], t[1]);
    scale[1] = scales_of<S, 1>(t[0], t[1]);
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int g = 0; g < 8; ++g)
      for (int i = 0; i < 16; ++i) {
        q[32 * g + i] = kNonLinear[b.qs[16 * g + i] & 15];
        q[32 * g + 16 + i] = kNonLinear[b.qs[16 * g + i] >> 4];
      }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    const auto table = S::table16(kNonLinear);
    for (int g = 0; g < 8; ++g, q += 8) {
      typename S::Bytes t[4];
      S::transpose(rows, at + offsetof(Block, qs) + 16 * g, t);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        S::store(q[k], S::lookup(table, S::template bits<0, 15>(t[k])));
        S::store(q[4 + k], S::lookup(table, S::template bits<4, 15>(t[k])));
      }
    }
  }
  template <class S>
  static void unpack_halves(const Block& b, typename S::Bytes (&q)[4]) {
    const auto table = S::table16(kNonLinear);
    for (int h = 0; h < 2; ++h) {
      const auto qs = S::load(b.qs + 64 * h);
      q[2 * h] = S::lookup(table, S::template bits<0, 15>(qs));
      q[2 * h + 1] = S::lookup(table, S::template bits<4, 15>(qs));
    }
  }
  template <class S, int g>
  static auto unpack_run(const Block& b) {
    return S::lookup_nibbles(kNonLinear, b.qs + 16 * g);
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
    typename S::Bytes halves[4];
    unpack_halves<S>(b, halves);
    S::weave(halves[0], halves[1], q[0], q[1]);
    S::weave(halves[2], halves[3], q[2], q[3]);
  }
};

}  // namespace

extern const Kernels iq4_xs_kernels;
constinit const Kernels iq4_xs_kernels = Block256<IQ4_XS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
