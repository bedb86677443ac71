// Reads what families share from GGUF's keys, with bounds, so that a family reads only what is its
// own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/models/architecture.h"

namespace nibble {

// Which values of a head of Q and K are rotated together.
enum class Rotation : uint8_t {
  kNone,
  kAdjacent,
  kHalves,
  kPermuted,  // adjacent in GGUF, which orders the rows anew, halves in a folder
};

class HparamsReader {
 public:
  HparamsReader(const HparamsSource& source, std::string_view arch)
      : source_(source), arch_(arch) {}

  // Sizes, epsilon, rotation, scales, experts, the sliding window's length and the activation (GGUF
  // files do not say it: the given one), checked. Families refine the result.
  Result<Hparams> common(Rotation rotation, Activation activation) const;

  // ARCH.key. A count: an integer in [low, high], or an array of one and the same; absent: nullopt.
  Result<std::optional<int>> count(std::string_view key, int low, int high) const;
  Result<int> count_or(std::string_view key, int otherwise, int low, int high) const;
  // Of all shared experts together, each as wide as the others; 0 where there are none.
  Result<int> shared_width(int n_ff) const;
  Result<int> need_count(std::string_view key, int low, int high) const;
  Result<double> number_or(std::string_view key, double otherwise) const;  // finite
  Result<bool> flag_or(std::string_view key, bool otherwise) const;
  Result<std::string_view> text_or(std::string_view key, std::string_view otherwise) const;
  // One flag for each layer: an array of n_layer flags, or a period p: all but each p-th layer;
  // absent: empty.
  Result<std::vector<bool>> layer_flags(std::string_view key, int n_layer) const;
  // The layers with a window; where the file does not say, all but each otherwise-th.
  Result<std::vector<bool>> windows(int n_layer, int otherwise) const;
  Result<double> rope_base(std::string_view key, double otherwise) const;  // 1 or more
  // ARCH.rope.*, of heads with d_head values.
  Result<RopeHparams> rope(int d_head, int n_ctx_train) const;

 private:
  std::string key(std::string_view name) const {
    return std::string(arch_) + "." + std::string(name);
  }
  Result<void> sizes(Hparams& h) const;
  Result<void> scales(Hparams& h) const;
  Result<void> experts(Hparams& h) const;
  Result<Activation> activation_or(Activation otherwise) const;
  Result<void> rope_scaling(RopeHparams& r) const;

  const HparamsSource& source_;
  std::string_view arch_;
};

// All layers but each p-th: (i + 1) % p != 0. p = 0: every layer.
std::vector<bool> all_but_each(int n_layer, int64_t p);

}  // namespace nibble
