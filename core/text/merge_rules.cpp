#include "core/text/merge_rules.h"

#include <algorithm>

namespace nibble::text {

TokenId MergeRules::find(std::string_view text) const {
  const TokenId id = vocabulary_.find(text);
  return id < n_model_ ? id : kNoToken;
}

bool MergeRules::try_add(std::string_view left, std::string_view right) {
  const TokenId left_id = find(left), right_id = find(right);
  if (left_id == kNoToken || right_id == kNoToken) return false;
  joined_ = left;
  joined_ += right.substr(std::min(n_prefix_, right.size()));
  const TokenId whole = find(joined_);
  if (whole == kNoToken) return false;
  table_.add(left_id, right_id, {rank_++, whole});
  return true;
}

Result<void> MergeRules::add(std::string_view left, std::string_view right) {
  if (try_add(left, right)) return {};
  return corrupt("merge {} ('{}' and '{}'): not all of it is in the vocabulary", rank_, left, right);
}

Result<void> MergeRules::add(std::string_view merge) {
  for (size_t space = merge.find(' ', 1); space != std::string_view::npos;
       space = merge.find(' ', space + 1))
    if (try_add(merge.substr(0, space), merge.substr(space + 1))) return {};
  return corrupt("merge {} ('{}'): not all of it is in the vocabulary", rank_, merge);
}

}  // namespace nibble::text
