// The codes of 256-weight blocks as vectors: through the format's own unpack_rows and unpack_row
// where it has them, else through its plain codes().
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/format.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

// The codes of the blocks at rows[r] + at of 16 rows: q[k][r] holds codes 4k .. 4k + 3.
template <class F, class S>
inline void unpack_rows256(typename S::Rows rows, size_t at, uint8_t (*q)[kPanelRows][4]) {
  if constexpr (requires { F::template unpack_rows<S>(rows, at, q); }) {
    F::template unpack_rows<S>(rows, at, q);
  } else if constexpr (requires(const typename F::Block& block, typename S::Bytes(&row)[4]) {
                         F::template unpack_row<S>(block, row);
                       }) {
    alignas(64) uint8_t codes[kPanelRows][256];  // in the order of Row256
    const std::byte* code_rows[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) {
      typename S::Bytes row[4];
      F::template unpack_row<S>(*reinterpret_cast<const typename F::Block*>(rows[r] + at), row);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) S::store(codes[r] + 64 * j, row[j]);
      code_rows[r] = reinterpret_cast<const std::byte*>(codes[r]);
    }
    for (int i = 0; i < 16; ++i) {
      typename S::Bytes t[4];
      S::transpose(code_rows, static_cast<size_t>(kRunAt[i / 2] + 16 * (i % 2)), t);
      for (int k = 0; k < 4; ++k) S::store(q[4 * i + k], t[k]);
    }
  } else {
    alignas(64) uint8_t codes[kPanelRows][256];
    const std::byte* code_rows[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) {
      F::codes(*reinterpret_cast<const typename F::Block*>(rows[r] + at), codes[r]);
      code_rows[r] = reinterpret_cast<const std::byte*>(codes[r]);
    }
    for (int i = 0; i < 16; ++i) {
      typename S::Bytes t[4];
      S::transpose(code_rows, 16 * i, t);
      for (int k = 0; k < 4; ++k) S::store(q[4 * i + k], t[k]);
    }
  }
}

// The codes of one row's block in the order of Row256.
template <class F, class S>
inline void unpack_row256(const typename F::Block& block, typename S::Bytes (&q)[4]) {
  if constexpr (requires { F::template unpack_row<S>(block, q); }) {
    F::template unpack_row<S>(block, q);
  } else {
    alignas(64) uint8_t codes[256];
    F::codes(block, codes);
    q[0] = S::load_halves(codes, codes + 64);
    q[1] = S::load_halves(codes + 32, codes + 96);
    q[2] = S::load_halves(codes + 128, codes + 192);
    q[3] = S::load_halves(codes + 160, codes + 224);
  }
}

// The groups' scales, and minima where there are any, of the blocks at rows[r] + at of 16 rows:
// dword r of vector k holds those of groups 4k .. 4k + 3. Vectors beyond the last group stay as
// they are.
template <class F, class S>
inline void groups_of_rows256(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                              typename S::Bytes (&min)[4]) {
  if constexpr (requires { F::template groups_of_rows<S>(rows, at, scale, min); }) {
    F::template groups_of_rows<S>(rows, at, scale, min);
  } else {
    alignas(64) int8_t scales[kPanelRows][16], minima[kPanelRows][16];
    const std::byte *scale_rows[kPanelRows], *min_rows[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) {
      F::groups(*reinterpret_cast<const typename F::Block*>(rows[r] + at), scales[r], minima[r]);
      scale_rows[r] = reinterpret_cast<const std::byte*>(scales[r]);
      min_rows[r] = reinterpret_cast<const std::byte*>(minima[r]);
    }
    S::transpose(scale_rows, 0, scale);
    if constexpr (F::kHasMin) S::transpose(min_rows, 0, min);
  }
}

// The factors d, and dmin where there is one, of the blocks at rows[r] + at.
template <class F, class S>
inline void factors_of_rows256(typename S::Rows rows, size_t at, typename S::Floats& d,
                               typename S::Floats& dmin) {
  using Block = typename F::Block;
  if constexpr (requires { F::kUnit; }) {
    alignas(64) float units[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r)
      units[r] = F::scale(*reinterpret_cast<const Block*>(rows[r] + at));
    d = S::load_floats(units);
  } else if constexpr (F::kHasMin) {
    static_assert(offsetof(Block, dmin) == offsetof(Block, d) + 2);
    const auto both = S::dwords(rows, at + offsetof(Block, d));
    d = S::template dword_halves<0>(both);
    dmin = S::template dword_halves<1>(both);
  } else {
    d = S::halves(rows, at + offsetof(Block, d));
  }
}

template <class F, class S>
inline void heads_of_rows256(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                             typename S::Bytes (&min)[4], typename S::Floats& d,
                             typename S::Floats& dmin) {
  if constexpr (requires { F::template heads_of_rows<S>(rows, at, scale, min, d, dmin); }) {
    F::template heads_of_rows<S>(rows, at, scale, min, d, dmin);
  } else {
    groups_of_rows256<F, S>(rows, at, scale, min);
    factors_of_rows256<F, S>(rows, at, d, dmin);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
