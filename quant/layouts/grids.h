// Formats of 256 weights a block whose values come from a grid, as they stand in files: see
// blocks32.h. kGroup weights share a scale s.
#pragma once

#include "quant/codebooks.h"
#include "quant/format.h"
#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA::layout {

// IQ1_S: 256 weights in 8 groups of 32; 1.5625 bits per weight.
//   w = d * (2 s + 1) * (grid +- 1/8), grid in -1..1.
// 16 bits of qh for a group: three upper bits of its four grid indices, three bits of scale s, and
// in the top one the sign of 1/8.
struct IQ1_S {
  static constexpr Format format{"iq1_s", 19, 256, 50, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr const auto& kGrid = kIq1Grid;
  struct Block {
    Half d;
    uint8_t qs[32];
    uint8_t qh[16];
  };
};

// IQ1_M: 256 weights in 16 groups of 16; 1.75 bits per weight.
//   w = d * (2 s + 1) * (grid +- 1/8), grid in -1..1.
// A nibble of qh for 8 weights: three upper bits of the grid index and the sign of 1/8. Each 16
// bits of scales: four 3-bit scales and, in the upper four bits, a quarter of the half-precision d.
struct IQ1_M {
  static constexpr Format format{"iq1_m", 29, 256, 56, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr const auto& kGrid = kIq1Grid;
  struct Block {
    uint8_t qs[32];
    uint8_t qh[16];
    uint8_t scales[8];
  };
};

// IQ2_XXS: 256 weights in 8 groups of 32; 2.0625 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  A group has four grid indices of 8 bits, then 32 bits:
// four times 7 signs (the eighth makes their number even) and the scale s in the upper four.
struct IQ2_XXS {
  static constexpr Format format{"iq2_xxs", 16, 256, 66, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr float kUnit = 0.125f;
  static constexpr const auto& kGrid = kIq2xxsGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
  };
};

// IQ2_XS: 256 weights in 16 groups of 16; 2.3125 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  Each 16 bits of qs: a grid index of 9 bits and 7 signs
// (the eighth makes their number even) for 8 weights; two 4-bit scales a byte, low nibble first.
struct IQ2_XS {
  static constexpr Format format{"iq2_xs", 17, 256, 74, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr float kUnit = 0.125f;
  static constexpr const auto& kGrid = kIq2xsGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t scales[8];
  };
};

// IQ2_S: 256 weights in 16 groups of 16; 2.5625 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  The grid index of 8 weights is a byte of qs and two bits
// of qh, their signs are a byte; two 4-bit scales a byte, low nibble first.
struct IQ2_S {
  static constexpr Format format{"iq2_s", 22, 256, 82, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr float kUnit = 0.125f;
  static constexpr const auto& kGrid = kIq2sGrid;
  struct Block {
    Half d;
    uint8_t qs[32];
    uint8_t signs[32];
    uint8_t qh[8];
    uint8_t scales[8];
  };
};

// IQ3_XXS: 256 weights in 8 groups of 32; 3.0625 bits per weight.
//   w = d / 4 * (2 s + 1) * sign * grid.  A group has eight grid indices of 8 bits for 4 weights
// each in qs and 32 bits in signs: four times 7 signs (the eighth makes their number even) and the
// scale s in the upper four.
struct IQ3_XXS {
  static constexpr Format format{"iq3_xxs", 18, 256, 98, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr float kUnit = 0.25f;
  static constexpr const auto& kGrid = kIq3xxsGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t signs[32];
  };
};

// IQ3_S: 256 weights in 8 groups of 32; 3.4375 bits per weight.
//   w = d * (2 s + 1) * sign * grid.  The grid index of 4 weights is a byte of qs and a bit of qh,
// the signs of 8 are a byte; two 4-bit scales a byte, low nibble first.
struct IQ3_S {
  static constexpr Format format{"iq3_s", 21, 256, 110, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr const auto& kGrid = kIq3sGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
  };
};

}  // namespace nibble::quant::NIBBLE_ISA::layout
