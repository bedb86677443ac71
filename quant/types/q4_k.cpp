// Q4_K (quant/layouts/blocks256.h): the codes are q.
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_K : Scales6<layout::Q4_K> {
  static constexpr int kMaxCode = 15, kOffsetShift = -1;
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
