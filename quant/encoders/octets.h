// Super-blocks of 256 weights as 32 octets, eight neighbouring weights each, in the lanes of two
// vectors: what the i-quants with grids are searched in.
#pragma once

#include "quant/encoders/lanes.h"

namespace nibble::quant::NIBBLE_ISA {

// Sixteen octets: weight i of each, and what an error of it costs.
struct Octets {
  Floats x[8], weight[8];
};

// 256 weights; the costs are those of load_groups() with importance, sigma + |x| without.
inline void load_octets(const float* x, const float* importance, Octets (&out)[2]) {
  float squares = 0;
  for (int i = 0; i < 256; ++i) squares += x[i] * x[i];
  const float mean = squares * (1.0f / 256), sigma = __builtin_sqrtf(mean);
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 8; ++i) {
      alignas(64) float v[kLanes], weight[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) {
        const int at = 128 * h + 8 * lane + i;
        v[lane] = x[at];
        weight[lane] = importance ? importance[at] * __builtin_sqrtf(mean + x[at] * x[at])
                                  : sigma + __builtin_fabsf(x[at]);
      }
      out[h].x[i] = *reinterpret_cast<const Floats*>(v);
      out[h].weight[i] = *reinterpret_cast<const Floats*>(weight);
    }
}

// Encoder::encode by blocks: G is Block and encode_block(x, importance or null, block).
template <class G>
void encode_blocks(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                   std::byte* blocks) {
  auto* out = reinterpret_cast<typename G::Block*>(blocks);
  for (int64_t b = 0; b < n_rows * n_cols / 256; ++b)
    G::encode_block(x + 256 * b, importance ? importance + 256 * b % n_cols : nullptr, out[b]);
}

// The sums over each kOctets neighbouring lanes, in all of them.
template <int kOctets>
NIBBLE_INLINE Floats group_sum(Floats v) {
  static_assert(kOctets == 2 || kOctets == 4);
  v += lane_xor<1>(v);
  if constexpr (kOctets == 4) v += lane_xor<2>(v);
  return v;
}
template <int kOctets>
NIBBLE_INLINE Floats group_max(Floats v) {
  v = max(v, lane_xor<1>(v));
  if constexpr (kOctets == 4) v = max(v, lane_xor<2>(v));
  return v;
}
NIBBLE_INLINE float lanes_sum(Floats v) {
  alignas(64) float lanes[kLanes];
  *reinterpret_cast<Floats*>(lanes) = v;
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}
NIBBLE_INLINE float lanes_max(Floats v) {
  alignas(64) float lanes[kLanes];
  *reinterpret_cast<Floats*>(lanes) = v;
  float most = lanes[0];
  for (const float lane : lanes) most = lane > most ? lane : most;
  return most;
}

}  // namespace nibble::quant::NIBBLE_ISA
