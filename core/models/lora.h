// Binds the pairs of low-rank adapters to the tensors of a family's table, whichever layout adapter
// and base have, and brings their rows into the base's order.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/models/architecture.h"
#include "core/ops/low_rank.h"
#include "formats/lora_file.h"

namespace nibble {

struct LoraInput {
  const LoraFile* file = nullptr;
  float scale = 1;     // times the adapter's own
  bool scaled = true;  // false: B as the adapter has it
};

// The changes of one model's weights, those of several adapters added up.
class LoraWeights {
 public:
  // One matrix of the table: the tensor's GGUF name, and its place in a stack.
  using Key = std::pair<std::string, int>;
  struct Change {
    TensorSpec spec;
    std::vector<float> a;  // [rank, n_cols]
    std::vector<float> b;  // [n_rows, rank], scaled
    LowRank low_rank;      // views of these
  };

  LoraWeights() = default;
  // table: as hparams' family has it. Fails (kInvalidInput) naming the adapter and the tensor where
  // the base has no such weight or one of another shape.
  static Result<LoraWeights> bind(std::span<const LoraInput> inputs, const Hparams& hparams,
                                  const std::vector<TensorSpec>& table);

  const LowRank* find(std::string_view gguf_name, int index = 0) const;  // nullptr: unchanged
  const std::map<Key, Change, std::less<>>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  int max_rank() const;

 private:
  friend class LoraBinder;
  std::map<Key, Change, std::less<>> changes_;
};

}  // namespace nibble
