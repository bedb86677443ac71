#include "core/text/word_piece.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace nibble::text {

void WordPiece::encode(std::string_view word, ModelScratch& scratch,
                       std::vector<TokenId>& out) const {
  const auto n_code_points = std::ranges::count_if(
      word, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  if (n_code_points > options_.longest_word) return out.push_back(options_.unk);
  const size_t before = out.size();
  for (size_t begin = 0; begin < word.size();) {
    scratch.mapped = begin > 0 ? options_.prefix : "";
    const size_t n_prefix = scratch.mapped.size();
    scratch.mapped += word.substr(begin);
    TokenId id = kNoToken;
    while (scratch.mapped.size() > n_prefix) {
      id = vocabulary_->find(scratch.mapped);
      if (id != kNoToken && id < options_.n_model) break;
      id = kNoToken;
      scratch.mapped.resize(previous_utf8(scratch.mapped, scratch.mapped.size()));
    }
    if (id == kNoToken) {
      out.resize(before);
      return out.push_back(options_.unk);
    }
    out.push_back(id);
    begin += scratch.mapped.size() - n_prefix;
  }
}

}  // namespace nibble::text
