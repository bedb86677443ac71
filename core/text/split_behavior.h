// What a split does with its delimiters, as tokenizer.json names it: stretches that match and
// stretches between them, in order, become pieces. The rules are those of NormalizedString::split
// of the `tokenizers` package.
#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/function_ref.h"

namespace nibble::text {

enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

inline Result<SplitBehavior> split_behavior(std::string_view name) {
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return unsupported("split behavior '{}' is not built in", name);
}

class SplitEmitter {
 public:
  using Emit = FunctionRef<void(size_t begin, size_t end)>;  // of a piece that is not empty
  SplitEmitter(SplitBehavior behavior, bool invert, Emit emit)
      : behavior_(behavior), invert_(invert), emit_(emit) {}

  // The next stretch; stretches follow one another without gaps. An empty one changes what may
  // merge, as there.
  void add(size_t begin, size_t end, bool match) {
    match = match != invert_;
    switch (behavior_) {
      case SplitBehavior::kIsolated:
        put(begin, end);
        break;
      case SplitBehavior::kRemoved:
        if (!match) put(begin, end);
        break;
      case SplitBehavior::kContiguous:
        extend_if(match == last_, begin, end);
        break;
      case SplitBehavior::kMergedWithPrevious:
        extend_if(match && !last_, begin, end);
        break;
      case SplitBehavior::kMergedWithNext:
        extend_if(!match && last_, begin, end);
        break;
    }
    last_ = match;
  }
  void finish() {
    if (held_) put(begin_, end_);
    held_ = false;
  }

 private:
  void put(size_t begin, size_t end) {
    if (begin < end) emit_(begin, end);
  }
  void extend_if(bool extends, size_t begin, size_t end) {
    if (!held_ || !extends) {
      finish();
      begin_ = begin;
    }
    end_ = end;
    held_ = true;
  }

  SplitBehavior behavior_;
  bool invert_;
  Emit emit_;
  bool held_ = false;  // a piece that the next stretch may still extend
  bool last_ = false;  // the stretch before was a match
  size_t begin_ = 0, end_ = 0;
};

}  // namespace nibble::text
