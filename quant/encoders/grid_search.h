// The entry of a grid that costs least, for 16 octets at once and without
// trying one after the other: the cost of an entry is the sum of those of its
// halves, of which there are few, so that an entry takes one load and one
// minimum.
#pragma once

#include "quant/encoders/octets.h"
#include "quant/grid_orders.h"

namespace nibble::quant::NIBBLE_ISA {

// What the combinations of values cost at each half's positions: as they are,
// and with the sign of one weight turned where that costs least.
template <int kCombos>
struct HalfCosts {
  Floats plain[2][kCombos], turned[2][kCombos];
};

// cost[position][level], turn[position][level]: of one half -> its
// combinations, first position in the lowest digit.
template <int kLevels, int kPositions, int kCombos>
NIBBLE_INLINE void combine(const Floats (&cost)[kPositions][kLevels], Floats (&out)[kCombos]) {
  for (int l = 0; l < kLevels; ++l) out[l] = cost[0][l];
  for (int p = 1, n = kLevels; p < kPositions; ++p, n *= kLevels)
    for (int l = kLevels - 1; l >= 0; --l)
      for (int c = 0; c < n; ++c) out[c + n * l] = out[c] + cost[p][l];
}
template <int kLevels, int kPositions, int kCombos>
NIBBLE_INLINE void combine_least(const Floats (&cost)[kPositions][kLevels],
                                 Floats (&out)[kCombos]) {
  for (int l = 0; l < kLevels; ++l) out[l] = cost[0][l];
  for (int p = 1, n = kLevels; p < kPositions; ++p, n *= kLevels)
    for (int l = kLevels - 1; l >= 0; --l)
      for (int c = 0; c < n; ++c) out[c + n * l] = min(out[c], cost[p][l]);
}

// Of all entries the least cost and the run that it is in: with no sign turned,
// and with one.
struct Least {
  Floats plain, turned;
  Ints plain_run{}, turned_run{};
};

NIBBLE_INLINE void take_better(Floats cost, int run, Floats& best, Ints& at) {
  const Ints better = less(cost, best);
  best = min(cost, best);
  at = choose(better, Ints{} + run, at);
}

template <bool kTurn, bool kRuns = false, int kEntries, int kCombos>
NIBBLE_INLINE Least least(const GridOrder<kEntries, kCombos>& order,
                          const HalfCosts<kCombos>& costs) {
  const Floats none = all(__builtin_inff());
  Least best{none, none};
  for (int run = 0; run < order.n_runs; ++run) {
    Floats plain[2] = {none, none}, turned[2] = {none, none};
    for (int k = order.begin[run]; k < order.begin[run + 1]; k += kRunStep)
#pragma GCC unroll 4
      for (int i = 0; i < kRunStep; ++i) {
        const int second = order.second[k + i];
        plain[i % 2] = min(plain[i % 2], costs.plain[1][second]);
        if constexpr (kTurn) turned[i % 2] = min(turned[i % 2], costs.turned[1][second]);
      }
    const int at = order.first[run];
    const Floats first = costs.plain[0][at], second = min(plain[0], plain[1]);
    const Floats sum = first + second;
    if constexpr (kRuns)
      take_better(sum, run, best.plain, best.plain_run);
    else
      best.plain = min(best.plain, sum);
    if constexpr (kTurn) {
      const Floats one = min(first + min(turned[0], turned[1]), costs.turned[0][at] + second);
      if constexpr (kRuns)
        take_better(one, run, best.turned, best.turned_run);
      else
        best.turned = min(best.turned, one);
    }
  }
  return best;
}

// The place in the grid of the least entry of a run, for one lane.
template <int kEntries, int kCombos>
int entry_of(const GridOrder<kEntries, kCombos>& order, const HalfCosts<kCombos>& costs, int run,
             int lane, bool turned) {
  const int at = order.first[run];
  const float first = costs.plain[0][at][lane], first_turned = costs.turned[0][at][lane];
  float least = __builtin_inff();
  int entry = order.entry[order.begin[run]];
  for (int k = order.begin[run]; k < order.begin[run + 1]; ++k) {
    const float second = costs.plain[1][order.second[k]][lane];
    float cost = first + second;
    if (turned) {
      const float a = first + costs.turned[1][order.second[k]][lane], b = first_turned + second;
      cost = a < b ? a : b;
    }
    if (cost < least) least = cost, entry = order.entry[k];
  }
  return entry;
}

}  // namespace nibble::quant::NIBBLE_ISA
