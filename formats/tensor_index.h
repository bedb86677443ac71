// Finds tensors by name: places in a list, sorted by the names that stand there.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/tensor_view.h"

namespace nibble {

class TensorIndex {
 public:
  TensorIndex() = default;
  explicit TensorIndex(std::span<const TensorView> tensors) : order_(tensors.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::ranges::sort(order_, {}, [&](uint32_t i) { return tensors[i].name; });
  }
  // The list must be the one that this was made of. nullptr: no such tensor.
  const TensorView* find(std::span<const TensorView> tensors, std::string_view name) const {
    const auto at =
        std::ranges::lower_bound(order_, name, {}, [&](uint32_t i) { return tensors[i].name; });
    return at != order_.end() && tensors[*at].name == name ? &tensors[*at] : nullptr;
  }
  // One of two tensors that have the same name, nullptr if there is none.
  const TensorView* duplicate(std::span<const TensorView> tensors) const {
    const auto at =
        std::ranges::adjacent_find(order_, {}, [&](uint32_t i) { return tensors[i].name; });
    return at == order_.end() ? nullptr : &tensors[*at];
  }

 private:
  std::vector<uint32_t> order_;
};

}  // namespace nibble
