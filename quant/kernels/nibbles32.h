// Codes of blocks of 32 weights with nibbles qs[16], the low ones of weights 0..15, the high ones
// of 16..31: as they are, as places in a table, or with a fifth bit. L: a layout (quant/layouts),
// or what was made of one.
#pragma once

#include "quant/isa/isa.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/vectors.h"

namespace nibble::quant::NIBBLE_ISA {

template <class L>
struct Nibbles32 : L {
  using typename L::Block;

  static void codes(const Block& b, uint8_t* q) {
    const Bytes16 qs = load_vector<Bytes16>(b.qs);
    store_vector(q, qs & 15);
    store_vector(q + 16, qs >> 4);
  }
  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, qs), t);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      q[k] = S::template bits<0, 15>(t[k]);
      q[4 + k] = S::template bits<4, 15>(t[k]);
    }
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto qs = blocks.template field16<offsetof(Block, qs)>();
    lo = S::template bits<0, 15>(qs);
    hi = S::template bits<4, 15>(qs);
  }
};

// kCodes[nibble].
template <class L, const uint8_t (&kCodes)[16]>
struct Table32 : Nibbles32<L> {
  using typename L::Block;
  using Nibbles = Nibbles32<L>;

  static void codes(const Block& b, uint8_t* q) {
    for (int i = 0; i < 16; ++i) {
      q[i] = kCodes[b.qs[i] & 15];
      q[16 + i] = kCodes[b.qs[i] >> 4];
    }
  }
  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    const auto table = S::table16(kCodes);
    Nibbles::template unpack_rows<S>(rows, at, q);
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) q[k] = S::lookup(table, q[k]);
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto table = S::table16(kCodes);
    Nibbles::template unpack_four<S>(blocks, lo, hi);
    lo = S::lookup(table, lo);
    hi = S::lookup(table, hi);
  }
};

// 16 where a bit is set.
inline Bytes16 fifth_bits(uint8_t first, uint8_t second) {
  const Eights2 each = {first * kOnes8, second * kOnes8};
  const Bytes16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  return reinterpret_cast<Bytes16>((reinterpret_cast<Bytes16>(each) & bit) == bit) & 16;
}

// Bit i of qh[4] is the fifth one of code i.
template <class L>
struct FiveBits32 : Nibbles32<L> {
  using typename L::Block;
  using Nibbles = Nibbles32<L>;

  static void codes(const Block& b, uint8_t* q) {
    const Bytes16 qs = load_vector<Bytes16>(b.qs);
    store_vector(q, (qs & 15) | fifth_bits(b.qh[0], b.qh[1]));
    store_vector(q + 16, qs >> 4 | fifth_bits(b.qh[2], b.qh[3]));
  }
  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    Nibbles::template unpack_rows<S>(rows, at, q);
    const auto high = S::dwords(rows, at + offsetof(Block, qh));
    q[0] = S::template add_row_bits<0>(q[0], high, 16);
    q[1] = S::template add_row_bits<1>(q[1], high, 16);
    q[2] = S::template add_row_bits<2>(q[2], high, 16);
    q[3] = S::template add_row_bits<3>(q[3], high, 16);
    q[4] = S::template add_row_bits<4>(q[4], high, 16);
    q[5] = S::template add_row_bits<5>(q[5], high, 16);
    q[6] = S::template add_row_bits<6>(q[6], high, 16);
    q[7] = S::template add_row_bits<7>(q[7], high, 16);
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    Nibbles::template unpack_four<S>(blocks, lo, hi);
    blocks.template add_fifth_bits<offsetof(Block, qh)>(lo, hi);
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
