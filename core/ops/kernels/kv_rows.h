// Rows of the KV cache as vectors, a reader for each KvFormat: lanes(row, i) gives numbers
// [i, i + kLanes), i a multiple of kLanes; one(row, i) gives one.
#pragma once

#include "core/ops/kernels/math.h"
#include "quant/isa/isa.h"

namespace nibble::kernels::NIBBLE_ISA {

using quant::NIBBLE_ISA::Half;

struct F32Rows {
  static F lanes(const std::byte* row, int i) {
    return load(reinterpret_cast<const float*>(row) + i);
  }
  static float one(const std::byte* row, int i) { return reinterpret_cast<const float*>(row)[i]; }
};

struct F16Rows {
  static F lanes(const std::byte* row, int i) {
    return load_half(reinterpret_cast<const uint16_t*>(row) + i);
  }
  static float one(const std::byte* row, int i) {
    return quant::NIBBLE_ISA::to_float(reinterpret_cast<const Half*>(row)[i]);
  }
};

struct Bf16Rows {
  static F lanes(const std::byte* row, int i) {
    return load_bf16(reinterpret_cast<const uint16_t*>(row) + i);
  }
  static float one(const std::byte* row, int i) {
    return quant::NIBBLE_ISA::bf16_bits_to_float(reinterpret_cast<const uint16_t*>(row)[i]);
  }
};

// GGUF's Q8_0: d * q.
struct Q8Rows {
  struct Block {
    Half d;
    int8_t q[32];
  };
  static const Block& block(const std::byte* row, int i) {
    return reinterpret_cast<const Block*>(row)[i / 32];
  }
  static F lanes(const std::byte* row, int i) {
    const Block& b = block(row, i);
    return load_int8(b.q + i % 32) * quant::NIBBLE_ISA::to_float(b.d);
  }
  static float one(const std::byte* row, int i) {
    const Block& b = block(row, i);
    return static_cast<float>(b.q[i % 32]) * quant::NIBBLE_ISA::to_float(b.d);
  }
};

// GGUF's Q4_0: d * (q - 8); the low nibbles are a block's first half.
struct Q4Rows {
  struct Block {
    Half d;
    uint8_t q[16];
  };
  static const Block& block(const std::byte* row, int i) {
    return reinterpret_cast<const Block*>(row)[i / 32];
  }
  static F lanes(const std::byte* row, int i) {
    const Block& b = block(row, i);
    return load_nibbles(b.q + i % 16, i % 32 / 16 * 4) * quant::NIBBLE_ISA::to_float(b.d);
  }
  static float one(const std::byte* row, int i) {
    const Block& b = block(row, i);
    return static_cast<float>((b.q[i % 16] >> (i % 32 / 16 * 4) & 15) - 8) *
           quant::NIBBLE_ISA::to_float(b.d);
  }
};

}  // namespace nibble::kernels::NIBBLE_ISA
