// Vectors that the compiler makes of whatever registers there are, for parts of blocks.
#pragma once

#include <cstdint>
#include <cstring>

namespace nibble::quant::NIBBLE_ISA {

#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is called across instruction sets

using Bytes8 [[gnu::vector_size(8)]] = uint8_t;
using Bytes16 [[gnu::vector_size(16)]] = uint8_t;
using Eights2 [[gnu::vector_size(16)]] = uint64_t;
using Words8 [[gnu::vector_size(16)]] = uint16_t;
using Bytes32 [[gnu::vector_size(32)]] = uint8_t;
using Words16 [[gnu::vector_size(32)]] = uint16_t;
using Fours8 [[gnu::vector_size(32)]] = uint32_t;
using Eights4 [[gnu::vector_size(32)]] = uint64_t;

template <class Vector>
[[gnu::always_inline]] inline Vector load_vector(const void* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Vector>
[[gnu::always_inline]] inline void store_vector(void* p, Vector v) {
  std::memcpy(p, &v, sizeof v);
}

}  // namespace nibble::quant::NIBBLE_ISA
