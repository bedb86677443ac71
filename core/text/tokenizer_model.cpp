#include "core/text/tokenizer_model.h"

namespace nibble::text {

Result<TokenizerSource> read_tokenizer_model(std::string_view bytes) {
  // A model begins with its first piece, field 1: a byte that no base64 text has.
  if (bytes.starts_with('\n')) return read_sentencepiece(bytes);
  return read_tiktoken(bytes);
}

}  // namespace nibble::text
