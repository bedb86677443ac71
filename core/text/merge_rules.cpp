#include "core/text/merge_rules.h"

#include <algorithm>
#include <span>

namespace nibble::text {

Result<void> MergeRules::add(std::string_view left, std::string_view right) {
  Rule& rule = batch_[n_batch_];
  rule.left = left;
  rule.right = right;
  rule.in_one = right.empty();
  if (rule.in_one) {
    const size_t space = std::min(left.find(' ', 1), left.size());
    rule.left = left.substr(0, space);
    rule.right = left.substr(std::min(space + 1, left.size()));
  }
  prepare(rule);
  return ++n_batch_ == kBatch ? flush() : Result<void>();
}

// Keys of the three texts; their places are asked for.
void MergeRules::prepare(Rule& rule) {
  rule.joined_at = joined_.size();
  joined_ += rule.left;
  joined_ += rule.right.substr(std::min(n_prefix_, rule.right.size()));
  rule.n_joined = joined_.size() - rule.joined_at;
  rule.keys[0] = Vocabulary::Key(rule.left);
  rule.keys[1] = Vocabulary::Key(rule.right);
  rule.keys[2] = Vocabulary::Key(std::string_view(joined_).substr(rule.joined_at));
  for (const auto& key : rule.keys) vocabulary_.prefetch(key);
}

bool MergeRules::find(Rule& rule) const {
  const auto whole = std::string_view(joined_).substr(rule.joined_at, rule.n_joined);
  const std::string_view texts[3] = {rule.left, rule.right, whole};
  for (int i = 0; i < 3; ++i) {
    rule.ids[i] = vocabulary_.find(texts[i], rule.keys[i]);
    if (rule.ids[i] == kNoToken || rule.ids[i] >= n_model_) return false;
  }
  return true;
}

// A text with several spaces: any of them may be the one between the parts.
bool MergeRules::find_other_split(Rule& rule) {
  if (!rule.in_one || rule.right.empty()) return false;
  const std::string_view all(rule.left.data(), rule.left.size() + 1 + rule.right.size());
  for (size_t space = all.find(' ', rule.left.size() + 1); space != std::string_view::npos;
       space = all.find(' ', space + 1)) {
    rule.left = all.substr(0, space);
    rule.right = all.substr(space + 1);
    prepare(rule);
    if (find(rule)) return true;
  }
  return false;
}

Result<void> MergeRules::flush() {
  const std::span rules(batch_.data(), n_batch_);
  for (Rule& rule : rules) {
    if (!find(rule) && !find_other_split(rule))
      return corrupt("merge {} ('{}' and '{}'): not all of it is in the vocabulary",
                     rank_ + static_cast<uint32_t>(&rule - batch_.data()), rule.left, rule.right);
    table_.prefetch(rule.ids[0], rule.ids[1]);
  }
  for (const Rule& rule : rules) table_.add(rule.ids[0], rule.ids[1], {rank_++, rule.ids[2]});
  n_batch_ = 0;
  joined_.clear();
  return {};
}

Result<MergeTable> MergeRules::take() {
  NIBBLE_CHECK(flush());
  return std::move(table_);
}

}  // namespace nibble::text
