// The list of merges of a BPE model, in order of rank, as pairs of ids.
#pragma once

#include <string>
#include <string_view>

#include "core/text/bpe_merge.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

class MergeRules {
 public:
  // Tokens below n_model count. prefix: continuing_subword_prefix, which joining drops from the right part.
  MergeRules(const Vocabulary& vocabulary, int n_model, std::string_view prefix)
      : vocabulary_(vocabulary), n_model_(n_model), n_prefix_(prefix.size()) {}

  void reserve(size_t n_rules) { table_.reserve(n_rules); }
  // The next rule. Fails (kCorrupt) when a part or the whole is not in the vocabulary.
  Result<void> add(std::string_view left, std::string_view right);
  Result<void> add(std::string_view merge);  // "left right"
  MergeTable take() { return std::move(table_); }

 private:
  bool try_add(std::string_view left, std::string_view right);
  TokenId find(std::string_view text) const;
  const Vocabulary& vocabulary_;
  int n_model_;
  size_t n_prefix_;
  uint32_t rank_ = 0;
  std::string joined_;
  MergeTable table_;
};

}  // namespace nibble::text
