// tokenizer.model, which Meta's folders have in place of a tokenizer.json: a SentencePiece model,
// or tiktoken's list of ranks.
#pragma once

#include "core/text/pipeline.h"

namespace nibble::text {

// Which of the two it is is told by content. Messages do not name the file.
Result<TokenizerSource> read_tokenizer_model(std::string_view bytes);

// The file's text, as SentencePiece's protocol buffer (sentencepiece_model.proto): BPE and Unigram.
Result<TokenizerSource> read_sentencepiece(std::string_view bytes);
// Lines of base64(bytes) and rank, with Llama 3's expression and its 256 special tokens behind the
// vocabulary.
Result<TokenizerSource> read_tiktoken(std::string_view text);

}  // namespace nibble::text
