// Q4_K: 256 weights in 8 groups of 32, whose 6-bit scales and minima share two half-precision
// factors; 4.5 bits per weight.   w = d * scale[g] * q - dmin * min[g],  q in 0..15. Chunk c of 64
// weights uses qs[32 c ..]: low nibbles are group 2c, high nibbles group 2c + 1.
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_K {
  static constexpr Format format{"q4_k", 12, 256, 144, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 15, kOffsetShift = -1, kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
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
        q[64 * c + i] = b.qs[32 * c + i] & 15;
        q[64 * c + 32 + i] = b.qs[32 * c + i] >> 4;
      }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
    for (int c = 0; c < 4; ++c, q += 16)
      for (int half = 0; half < 2; ++half) {
        typename S::Bytes t[4];
        S::transpose(rows, at + offsetof(Block, qs) + 32 * c + 16 * half, t);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          S::store(q[4 * half + k], S::template bits<0, 15>(t[k]));
          S::store(q[8 + 4 * half + k], S::template bits<4, 15>(t[k]));
        }
      }
  }
  template <class S, int g>
  static auto unpack_run(const Block& b) {
    return S::template bits<4 * (g % 2), 15>(S::load(b.qs + g / 2 * 32));
  }
  template <class S>
  static void unpack_row(const Block& b, typename S::Bytes (&q)[4]) {
    const auto first = S::load(b.qs), second = S::load(b.qs + 64);
    q[0] = S::template bits<0, 15>(first);
    q[1] = S::template bits<4, 15>(first);
    q[2] = S::template bits<0, 15>(second);
    q[3] = S::template bits<4, 15>(second);
  }
};

}  // namespace

extern const Kernels q4_k_kernels;
constinit const Kernels q4_k_kernels = Block256<Q4_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
