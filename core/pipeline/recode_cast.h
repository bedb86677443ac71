// What weights lose when they are written as 16-bit floats.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quant/format.h"

namespace nibble {

inline constexpr float kLargestHalf = 65504;  // of f16

struct CastRange {
  std::string_view format;
  float overflows_from, underflows_to;  // magnitudes that round to infinity, and to zero
  float largest;
};
const CastRange* cast_range(const quant::Format& format);  // nullptr: no 16-bit float

// Weights beyond the range (they become the largest number), or so small that they become zero.
struct RecodeCast {
  uint64_t n_overflows = 0, n_underflows = 0;
};
RecodeCast count_losses(const CastRange& range, std::span<const float> x);
// x within the range, in out.
std::span<const float> clamped(const CastRange& range, std::span<const float> x,
                               std::vector<float>& out);

}  // namespace nibble
