// Writes a tokenizer as Hugging Face's tokenizer.json, from whatever file it was read.
#pragma once

#include "core/base/json.h"
#include "core/text/pipeline.h"

namespace nibble::text {

// Fails (kUnsupported) where the format has no model of the kind.
Result<Json> tokenizer_json(const TokenizerSource& source);

}  // namespace nibble::text
