// Writes a tokenizer as the tokenizer.* keys of a GGUF file, in llama.cpp's terms as far as those
// go, and whole, as its pipeline, under nibble.tokenizer.pipeline, which wins when nibble reads it.
#pragma once

#include "core/text/recognize.h"
#include "formats/metadata_draft.h"

namespace nibble::text {

inline constexpr std::string_view kPipelineKey = "nibble.tokenizer.pipeline";
inline constexpr std::string_view kEndTokensKey = "nibble.tokenizer.end_token_ids";
// Ids below are the model's own, whatever their types: merges may be of them.
inline constexpr std::string_view kModelSizeKey = "nibble.tokenizer.n_model";

// n_rows: of the embedding; ids that the tokenizer does not have are filled up to it. Returns what
// llama.cpp is told. Fails with kUnsupported as recognize() does.
Result<LlamaCppTokenizer> add_tokenizer_keys(const TokenizerSource& source, int64_t n_rows,
                                             MetadataDraft& out);

}  // namespace nibble::text
