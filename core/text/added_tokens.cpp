#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
// Up to so many bytes it is quicker to look at every place of a text for the tokens that begin
// there; longer ones could make that as slow as the product of both lengths.
constexpr size_t kWalked = 64;

// The code point that ends at end, 0 where there is none.
char32_t code_point_before(std::string_view text, size_t end) {
  for (size_t n = 1; n <= std::min<size_t>(4, end); ++n) {
    const std::string_view tail = text.substr(end - n, n);
    const Utf8Head head = utf8_head(tail);
    if (head.valid && static_cast<size_t>(head.n_bytes) == n) return decode_utf8(tail.data());
  }
  return 0;
}

char32_t code_point_at(std::string_view text, size_t begin) {
  if (begin >= text.size() || !utf8_head(text.substr(begin)).valid) return 0;
  return decode_utf8(text.data() + begin);
}

// Where the white space that ends at end begins, at first or later.
size_t space_before(std::string_view text, size_t end, size_t first) {
  while (end > first && is_space(code_point_before(text, end))) end = previous_utf8(text, end);
  return std::max(end, first);
}

size_t space_after(std::string_view text, size_t begin) {
  while (begin < text.size() && is_space(code_point_at(text, begin)))
    begin += utf8_length(static_cast<unsigned char>(text[begin]));
  return begin;
}

bool covers_any(std::span<const size_t> ascending, size_t begin, size_t end) {
  const auto at = std::ranges::lower_bound(ascending, begin);
  return at != ascending.end() && *at < end;
}
}  // namespace

Result<AddedTokens> AddedTokens::make(std::vector<Item> items) {
  AddedTokens out;
  out.items_ = std::move(items);
  std::vector<PrefixIndex::Entry> entries;
  std::vector<std::string_view> texts;
  size_t longest = 0;
  for (const Item& item : out.items_) {
    entries.push_back({item.text, static_cast<TokenId>(texts.size())});
    texts.push_back(item.text);
    longest = std::max(longest, item.text.size());
  }
  out.index_ = PrefixIndex(std::move(entries));
  if (longest > kWalked) {
    NIBBLE_TRY(out.starts_, LongestStarts::make(texts));
  }
  return out;
}

const AddedTokens::Item* AddedTokens::longest_at(std::string_view text) const {
  const Item* longest = nullptr;
  size_t n_bytes = 0;
  index_.each_prefix(text, [&](size_t length, TokenId i) {
    if (length == n_bytes) return;  // the same text again: the first counts
    longest = &items_[static_cast<size_t>(i)];
    n_bytes = length;
  });
  return longest;
}

void AddedTokens::split(std::string_view text, bool parse_special, std::span<const size_t> plain_at,
                        Sink sink) const {
  size_t done = 0;  // the end of the last token, with the space that it took along
  size_t space_begin = 0, space_end = 0;  // the last white space that was looked through
  const std::vector<int32_t> starts = starts_.empty() ? std::vector<int32_t>() : starts_.find(text);
  const auto item_at = [&](size_t i) -> const Item* {
    if (!starts.empty()) return starts[i] < 0 ? nullptr : &items_[static_cast<size_t>(starts[i])];
    if (!index_.may_begin(static_cast<unsigned char>(text[i]))) return nullptr;
    return longest_at(text.substr(i));
  };
  for (size_t i = 0; i < text.size();) {
    const Item* item = item_at(i);
    if (!item) {
      ++i;
      continue;
    }
    size_t begin = i, end = i + item->text.size();
    i = end;
    const AddedToken& token = item->token;
    if (token.special && !parse_special) continue;
    if (token.special && covers_any(plain_at, begin, end)) continue;
    if (token.single_word && ((begin > 0 && is_word(code_point_before(text, begin))) ||
                              (end < text.size() && is_word(code_point_at(text, end)))))
      continue;
    if (token.lstrip) begin = space_before(text, begin, done);
    if (token.rstrip) {
      if (end < space_begin || end > space_end) {
        space_begin = end;
        space_end = space_after(text, end);
      }
      end = space_end;
    }
    if (done < begin) sink(kNoToken, done, begin);
    if (begin < end) sink(token.id, begin, end);  // else the one before took all of it along
    done = end;
  }
  if (done < text.size()) sink(kNoToken, done, text.size());
}

}  // namespace nibble::text
