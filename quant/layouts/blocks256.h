// Formats of 256 weights a block without a grid, as they stand in files: see blocks32.h. kGroup
// weights share an integer scale.
#pragma once

#include "quant/format.h"
#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA::layout {

// Q2_K: 256 weights in 16 groups of 16 whose 4-bit scales and minima share two half-precision
// factors; 2.625 bits per weight.   w = d * scale[g] * q - dmin * min[g],  q in 0..3.
// A byte of scales has a group's scale in its low nibble, its minimum in the high one. Each half of
// 128 uses qs[32 h ..]; bits 2j and 2j + 1 of byte i are weight i of its run j.
struct Q2_K {
  static constexpr Format format{"q2_k", 10, 256, 84, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr bool kHasMin = true;
  struct Block {
    uint8_t scales[16];
    uint8_t qs[64];
    Half d, dmin;
  };
};

// Q3_K: 256 weights in 16 groups of 16 whose 6-bit scales share one half-precision factor;
// 3.4375 bits per weight.   w = d * (scale[g] - 32) * (q - 4),  q in 0..7.
// Two bits of q lie as in Q2_K; the third of weight i of run k (0..7) is bit k of hmask[i].
// Scale g: low nibbles of scales[0..7], then their high nibbles; its two upper bits are bits
// 2 (g / 4) and up of scales[8 + g % 4].
struct Q3_K {
  static constexpr Format format{"q3_k", 11, 256, 110, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    Half d;
  };
};

// Q4_K: 256 weights in 8 groups of 32, whose 6-bit scales and minima share two half-precision
// factors; 4.5 bits per weight.   w = d * scale[g] * q - dmin * min[g],  q in 0..15. Chunk c of 64
// weights uses qs[32 c ..]: low nibbles are group 2c, high nibbles group 2c + 1.
// Scales and minima: groups 0..3 in the low six bits of bytes 0..3 (scales) and 4..7 (minima);
// groups 4..7 have their low nibbles in bytes 8..11 and their upper bits in the two upper bits of
// bytes 0..7.
struct Q4_K {
  static constexpr Format format{"q4_k", 12, 256, 144, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
  };
};

// Q5_K: Q4_K with a fifth bit for each weight; 5.5 bits per weight.
//   w = d * scale[g] * q - dmin * min[g],  q in 0..31. The fifth bit of weight l of group g is bit
//   g of qh[l].
struct Q5_K {
  static constexpr Format format{"q5_k", 13, 256, 176, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
  };
};

// Q6_K: 256 weights in 16 groups of 16 with int8 scales and one half-precision factor; 6.5625 bits
// per weight.
//   w = d * scale[g] * (q - 32),  q in 0..63.
// Each half of 128 uses ql[64 h ..] and qh[32 h ..]; its runs of 32 take low and high nibbles of ql
// and, for run j, bits 2j and 2j + 1 of qh.
struct Q6_K {
  static constexpr Format format{"q6_k", 14, 256, 210, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 16;
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    Half d;
  };
};

// IQ4_XS: 256 weights in 8 groups of 32 whose 6-bit scales share one half-precision factor;
// 4.25 bits per weight.   w = d * (scale[g] - 32) * T[nibble], T as in IQ4_NL.
// Group g uses qs[16 g ..]: low nibbles are its first 16 weights, high nibbles the last 16. Four
// bits of its scale are nibble g of scales_l, the upper two bits 2g and 2g + 1 of scales_h.
struct IQ4_XS {
  static constexpr Format format{"iq4_xs", 23, 256, 136, 0, ActivationKind::kQ8x256};
  static constexpr int kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t scales_h[2];
    uint8_t scales_l[4];
    uint8_t qs[128];
  };
};

// TQ1_0: 256 weights -d, 0 or d; 1.6875 bits per weight. Five digits of base 3 a byte, the first
// the highest, stored as ceil(number * 256 / 243): digit n of byte b is
// (3 * (b * 3^n mod 256)) / 256.
// The first 32 bytes of qs hold 160 weights, digit by digit, the next 16 hold 80, qh the last 16.
struct TQ1_0 {
  static constexpr Format format{"tq1_0", 34, 256, 54, 0, ActivationKind::kQ8x256};
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t qs[48];
    uint8_t qh[4];
    Half d;
  };
};

// TQ2_0: 256 weights -d, 0 or d as two bits; 2.0625 bits per weight.   w = d * (q - 1).
// Each half of 128 uses qs[32 h ..]; bits 2j and 2j + 1 of byte i are weight i of its run j.
struct TQ2_0 {
  static constexpr Format format{"tq2_0", 35, 256, 66, 0, ActivationKind::kQ8x256};
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t qs[64];
    Half d;
  };
};

}  // namespace nibble::quant::NIBBLE_ISA::layout
