// How much the steps that a tokenizer's file lists may write while they work on one text.
#pragma once

#include <cstddef>

#include "core/base/error.h"

namespace nibble::text {

// Counted in bytes, the result of each step anew: room for a hundred steps over a long text and for
// a long prefix of a short one, none for steps that go on doubling what they find.
class WorkBudget {
 public:
  explicit WorkBudget(size_t n_text = 0)
      : n_text_(n_text), limit_((size_t{1} << 20) + 128 * n_text), left_(limit_) {}

  // Once it has failed (kInvalidInput) it fails for whatever comes.
  Result<void> spend(size_t n_bytes) {
    if (n_bytes <= left_) {
      left_ -= n_bytes;
      return {};
    }
    left_ = 0;
    return invalid_input("the tokenizer makes more than {} bytes of a text of {}", limit_, n_text_);
  }

 private:
  size_t n_text_, limit_, left_;
};

}  // namespace nibble::text
