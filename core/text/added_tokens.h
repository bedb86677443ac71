// Tokens that are cut out of a text before anything else sees it, with the flags of
// tokenizer.json's "added_tokens".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/text/longest_starts.h"
#include "core/text/prefix_index.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

struct AddedToken {
  std::string content;
  TokenId id = kNoToken;
  bool special = false;      // a control token: as text only when asked for
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and behind it
  bool single_word = false;  // only where no word character touches it
  bool normalized = false;   // looked for in the normalized text
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // The tokens to look for, by the text that stands for them: content, or content as the normalizer
  // leaves it.
  struct Item {
    std::string text;
    AddedToken token;
  };
  // Fails (kUnsupported) on long tokens that are more than LongestStarts::kMaxBytes.
  static Result<AddedTokens> make(std::vector<Item> items);

  bool empty() const { return index_.empty(); }
  // Text in order, as a stretch (id kNoToken) or a token; of several at a place the longest, of
  // equals the first. Special ones are passed over when parse_special is false, and where they
  // cover one of plain_at (ascending).
  using Sink = FunctionRef<void(TokenId id, size_t begin, size_t end)>;
  void split(std::string_view text, bool parse_special, std::span<const size_t> plain_at,
             Sink sink) const;

 private:
  const Item* longest_at(std::string_view text) const;
  std::vector<Item> items_;
  PrefixIndex index_;     // over items_, by position
  LongestStarts starts_;  // the same, where tokens are long
};

}  // namespace nibble::text
