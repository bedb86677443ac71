// tokenizer.json's post-processors, as far as they touch ids: what is put before and after a text.
#pragma once

#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

struct Affixes {
  std::vector<TokenId> before, after;
};

// json: the member "post_processor", or null. Fails with kUnsupported on a type that is not built
// in, kCorrupt on a token that the vocabulary does not have.
Result<Affixes> read_affixes(const Json& json, const Vocabulary& vocabulary);

}  // namespace nibble::text
