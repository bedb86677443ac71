// Formats of 32 weights a block, as they stand in files: the registry's row, the block's bytes, and
// what these stand for. Kernels (quant/types) and encoders (quant/encoders) derive from these.
#pragma once

#include "quant/format.h"
#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA::layout {

// Q4_0: 32 weights share one half-precision scale; 4.5 bits per weight.
//   w[i] = d * (q[i] - 8),  q in 0..15. Low nibbles are weights 0..15, high nibbles 16..31.
struct Q4_0 {
  static constexpr Format format{"q4_0", 2, 32, 18, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[16];
  };
};

// Q4_1: 32 weights share a half-precision scale and minimum; 5 bits per weight.
//   w[i] = d * q[i] + m,  q in 0..15. Nibbles as in Q4_0.
struct Q4_1 {
  static constexpr Format format{"q4_1", 3, 32, 20, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, m;
    uint8_t qs[16];
  };
};

// Q5_0: 32 weights share one half-precision scale; 5.5 bits per weight.
//   w[i] = d * (q[i] - 16),  q in 0..31: nibbles as in Q4_0, the fifth bit of weight i is bit i of
//   qh.
struct Q5_0 {
  static constexpr Format format{"q5_0", 6, 32, 22, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qh[4], qs[16];
  };
};

// Q5_1: 32 weights share a half-precision scale and minimum; 6 bits per weight.
//   w[i] = d * q[i] + m,  q in 0..31, as in Q5_0.
struct Q5_1 {
  static constexpr Format format{"q5_1", 7, 32, 24, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, m;
    uint8_t qh[4], qs[16];
  };
};

// Q8_0: 32 weights share one half-precision scale; 8.5 bits per weight.
//   w[i] = d * q[i],  q in -128..127.
struct Q8_0 {
  static constexpr Format format{"q8_0", 8, 32, 34, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    int8_t qs[32];
  };
};

// IQ4_NL: 32 weights share one half-precision scale; 4.5 bits per weight.
//   w[i] = d * T[nibble], T a table of 16 uneven steps. Nibbles as in Q4_0.
struct IQ4_NL {
  static constexpr Format format{"iq4_nl", 20, 32, 18, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[16];
  };
};

// MXFP4: 32 weights of four bits (E2M1) share a power of two; 4.25 bits per weight. OCP
// Microscaling Formats 1.0.
//   w[i] = 2^(e - 128) * F[nibble], F = 0 1 2 3 4 6 8 12 and, from 8 on, their negatives: twice the
// E2M1 value. Nibbles as in Q4_0. e = 255 is a number here, as in llama.cpp.
struct MXFP4 {
  static constexpr Format format{"mxfp4", 39, 32, 17, 0, ActivationKind::kQ8x32};
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t e;
    uint8_t qs[16];
  };
};

}  // namespace nibble::quant::NIBBLE_ISA::layout
