// Members of a tokenizer.json: written for files that do not carry one, and read where several
// sources have them.
#pragma once

#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/text/added_tokens.h"

namespace nibble::text {

// SentencePiece BPE with byte fallback: the pipeline without added tokens and post-processor.
Json sentencepiece_bpe_json(bool space_prefix, std::string_view unk);
// SentencePiece Unigram. squeeze: runs of spaces become one, those at the ends go.
Json unigram_json(bool space_prefix, bool squeeze, std::optional<TokenId> unk);
// A post-processor that puts one token before, one after the text; null when there is neither.
Json affixes_json(std::optional<TokenId> before, std::optional<TokenId> after);

// The member "added_tokens", empty when it is absent.
Result<std::vector<AddedToken>> read_added_tokens(const Json& pipeline);

}  // namespace nibble::text
