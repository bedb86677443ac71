// Which tokens end an answer, by the texts that models use for it (model-reference of llama.cpp's
// names), for files that declare fewer than they mean.
#pragma once

#include <vector>

#include "core/base/function_ref.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

// special(id): the token is a control token; added(id): it is cut out of text at all (control or
// user-defined).
std::vector<TokenId> end_tokens_by_text(const Vocabulary& vocabulary,
                                        FunctionRef<bool(TokenId)> special,
                                        FunctionRef<bool(TokenId)> added);

}  // namespace nibble::text
