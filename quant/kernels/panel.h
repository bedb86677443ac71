// What an expanded panel looks like: 16 rows of weights as unsigned codes, rows in lanes, so that
// one vector holds four consecutive weights of each row and a product needs no sum across lanes.
#pragma once

#include <cstdint>

#include "quant/format.h"

namespace nibble::quant::NIBBLE_ISA {

// 32 weights of each row: w = d * (q - 2^offset) + m. m is there for formats with minima only.
template <bool kHasMin>
struct alignas(64) Panel32 {
  uint8_t q[8][kPanelRows][4];
  float d[kPanelRows];
};
template <>
struct alignas(64) Panel32<true> {
  uint8_t q[8][kPanelRows][4];
  float d[kPanelRows];
  float m[kPanelRows];
};

// 256 weights of each row in groups of 16 or 32: w = scale * (q - 2^offset) - dmin * min.
template <int kGroup, bool kHasMin>
struct alignas(64) Panel256 {
  uint8_t q[64][kPanelRows][4];
  float scale[256 / kGroup][kPanelRows];
};
template <int kGroup>
struct alignas(64) Panel256<kGroup, true> {
  uint8_t q[64][kPanelRows][4];
  float scale[256 / kGroup][kPanelRows];
  int16_t min[128 / kGroup][kPanelRows][2];  // of two consecutive groups
  float dmin[kPanelRows];
};

// 256 weights of each row, the groups' integer scales multiplied into the codes:
// w = d * (q - kFoldedOffset) - dmin * min; minima in groups of 16.
template <bool kHasMin>
struct alignas(64) Folded256 {
  uint8_t q[64][kPanelRows][4];
  float d[kPanelRows];
};
template <>
struct alignas(64) Folded256<true> {
  uint8_t q[64][kPanelRows][4];
  float d[kPanelRows];
  int16_t min[8][kPanelRows][2];  // of two consecutive groups
  float dmin[kPanelRows];
};

// 256 weights of each row and what products are multiplied with as integers: w = d * (scale * q) -
// dmin * min, without kHasMin w = d * (scale * q - min).
template <int kGroup>
struct alignas(64) Scaled256 {
  uint8_t q[64][kPanelRows][4];
  int16_t scale[256 / kGroup][kPanelRows][2];  // both the same
  int16_t min[128 / kGroup][kPanelRows][2];    // of two consecutive groups
  float d[kPanelRows], dmin[kPanelRows];
};

// The same without minima, of codes of eight bits, for multiplications that take magnitudes: w = -q
// where negative is 255, else q. start: the sum of the negative ones' q, in Signed256 by scale.
struct alignas(64) Signed32 {
  uint8_t q[8][kPanelRows][4];
  uint8_t negative[8][kPanelRows][4];
  int32_t start[kPanelRows];
  float d[kPanelRows];
};
struct alignas(64) Signed256 {
  uint8_t q[64][kPanelRows][4];
  uint8_t negative[64][kPanelRows][4];
  int16_t scale[8][kPanelRows][2];
  int32_t start[kPanelRows];
  float d[kPanelRows];
};

// 32 weights of each row as bf16, pairs of consecutive ones.
struct alignas(64) PanelBf16 {
  uint16_t q[16][kPanelRows][2];
};

// The panel entries of Kernels, where an instruction set has them.
struct PanelKernels {
  decltype(Kernels::panel_bytes) bytes = nullptr;
  decltype(Kernels::expand_panel) expand = nullptr;
  decltype(Kernels::multiply_panel) multiply = nullptr;
  decltype(Kernels::has_panels) runs_here = nullptr;
};

}  // namespace nibble::quant::NIBBLE_ISA
