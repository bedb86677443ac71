#include "core/pipeline/recode_cast.h"

#include <algorithm>
#include <cmath>

namespace nibble {
namespace {

constexpr CastRange kRanges[] = {{"f16", 65520, 0x1p-25f, kLargestHalf},
                                 {"bf16", 0x1.ffp127f, 0x1p-134f, 0x1.fep127f}};

}  // namespace

const CastRange* cast_range(const quant::Format& format) {
  const auto at = std::ranges::find(kRanges, format.name, &CastRange::format);
  return at == std::end(kRanges) ? nullptr : &*at;
}

RecodeCast count_losses(const CastRange& range, std::span<const float> x) {
  uint32_t n_overflows = 0, n_underflows = 0;
  for (const float value : x) {
    const float size = std::abs(value);
    n_overflows += size >= range.overflows_from;
    n_underflows += size <= range.underflows_to && size != 0;
  }
  return {n_overflows, n_underflows};
}

std::span<const float> clamped(const CastRange& range, std::span<const float> x,
                               std::vector<float>& out) {
  out.resize(x.size());
  std::ranges::transform(x, out.begin(),
                         [&](float v) { return std::clamp(v, -range.largest, range.largest); });
  return out;
}

}  // namespace nibble
