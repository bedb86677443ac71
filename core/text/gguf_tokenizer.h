// What a GGUF file's keys say of its tokenizer, before it is put together.
#pragma once

#include "core/text/pipeline.h"
#include "formats/metadata.h"

namespace nibble::text {

Result<TokenizerSource> read_gguf_tokenizer(const Metadata& metadata);

}  // namespace nibble::text
