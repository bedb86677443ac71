#include "core/pipeline/allocate.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/base/assert.h"

namespace nibble {
namespace {

// Options worth having, by size: each loses less than all smaller ones.
std::vector<size_t> useful(const AllocationItem& item) {
  std::vector<size_t> order(item.size()), kept;
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return item[a].n_bytes != item[b].n_bytes ? item[a].n_bytes < item[b].n_bytes
                                              : item[a].loss < item[b].loss;
  });
  for (const size_t i : order)
    if (kept.empty() || item[i].loss < item[kept.back()].loss) kept.push_back(i);
  return kept;
}

// What a byte more saves between two options.
double gain(const AllocationItem& item, size_t from, size_t to) {
  return (item[from].loss - item[to].loss) /
         static_cast<double>(item[to].n_bytes - item[from].n_bytes);
}

// Of useful options those on the lower convex hull: gains fall from one to the next.
std::vector<size_t> hull(const AllocationItem& item, const std::vector<size_t>& options) {
  std::vector<size_t> kept;
  for (const size_t i : options) {
    while (kept.size() > 1 &&
           gain(item, kept[kept.size() - 2], kept.back()) <= gain(item, kept.back(), i))
      kept.pop_back();
    kept.push_back(i);
  }
  return kept;
}

struct Step {
  size_t item, from, to;
  double gain;
};

class Allocation {
 public:
  Allocation(std::span<const AllocationItem> items, uint64_t budget)
      : items_(items), chosen_(items.size()), left_(budget) {
    for (size_t i = 0; i < items.size(); ++i) {
      options_.push_back(useful(items[i]));
      chosen_[i] = options_[i].front();
      NIBBLE_ASSERT(items[i][chosen_[i]].n_bytes <= left_);
      left_ -= items[i][chosen_[i]].n_bytes;
    }
  }

  std::vector<size_t> run() {
    for (const Step& s : steps())
      if (chosen_[s.item] == s.from) take(s.item, s.to);
    while (take_best()) continue;
    return chosen_;
  }

 private:
  std::vector<Step> steps() const {
    std::vector<Step> all;
    for (size_t i = 0; i < items_.size(); ++i) {
      const auto line = hull(items_[i], options_[i]);
      for (size_t k = 1; k < line.size(); ++k)
        all.push_back({i, line[k - 1], line[k], gain(items_[i], line[k - 1], line[k])});
    }
    std::ranges::stable_sort(all, std::greater{}, &Step::gain);
    return all;
  }

  uint64_t more_bytes(size_t item, size_t to) const {
    return items_[item][to].n_bytes - items_[item][chosen_[item]].n_bytes;
  }
  bool take(size_t item, size_t to) {
    const uint64_t more = more_bytes(item, to);
    if (more > left_) return false;
    left_ -= more;
    chosen_[item] = to;
    return true;
  }

  // The change of one item that fits and saves most; false: there is none.
  bool take_best() {
    size_t best_item = 0, best_to = 0;
    double best = 0;
    for (size_t i = 0; i < items_.size(); ++i)
      for (const size_t to : options_[i]) {
        const AllocationOption &now = items_[i][chosen_[i]], &then = items_[i][to];
        if (then.n_bytes <= now.n_bytes || more_bytes(i, to) > left_) continue;
        if (now.loss - then.loss <= best) continue;
        best = now.loss - then.loss;
        best_item = i;
        best_to = to;
      }
    return best > 0 && take(best_item, best_to);
  }

  std::span<const AllocationItem> items_;
  std::vector<std::vector<size_t>> options_;  // useful ones
  std::vector<size_t> chosen_;
  uint64_t left_;
};

}  // namespace

std::vector<size_t> allocate(std::span<const AllocationItem> items, uint64_t budget) {
  return Allocation(items, budget).run();
}

}  // namespace nibble
