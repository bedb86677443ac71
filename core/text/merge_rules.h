// The list of merges of a BPE model, in order of rank, as pairs of ids.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/text/bpe_merge.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

class MergeRules {
 public:
  // Tokens below n_model count. prefix: continuing_subword_prefix, which joining drops from the
  // right part.
  MergeRules(const Vocabulary& vocabulary, int n_model, std::string_view prefix)
      : vocabulary_(vocabulary), n_model_(n_model), n_prefix_(prefix.size()) {}

  void reserve(size_t n_rules) { table_.reserve(n_rules); }
  // The next rule, in two parts or as "left right" with an empty second. Texts must live until
  // take(): rules are looked up many at a time, since each is three cache misses. Fails (kCorrupt),
  // maybe for an earlier rule, when a part or the whole is not in the vocabulary.
  Result<void> add(std::string_view left, std::string_view right);
  Result<MergeTable> take();

 private:
  struct Rule {
    std::string_view left, right;
    bool in_one = false;                 // given as "left right"
    size_t joined_at = 0, n_joined = 0;  // left and right together, in joined_
    Vocabulary::Key keys[3];
    TokenId ids[3] = {};
  };
  static constexpr size_t kBatch = 32;
  void prepare(Rule& rule);
  bool find(Rule& rule) const;
  bool find_other_split(Rule& rule);
  Result<void> flush();

  const Vocabulary& vocabulary_;
  int n_model_;
  size_t n_prefix_;
  uint32_t rank_ = 0;
  std::array<Rule, kBatch> batch_;
  size_t n_batch_ = 0;
  std::string joined_;
  MergeTable table_;
};

}  // namespace nibble::text
