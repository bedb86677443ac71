#include "core/text/tokenizer_model.h"

#include "core/base/mapped_file.h"

namespace nibble::text {

Result<TokenizerSource> read_tokenizer_model(const std::filesystem::path& path) {
  NIBBLE_TRY(const MappedFile file, MappedFile::open(path));
  const std::string_view bytes = file.text();
  // A model begins with its first piece, field 1: a byte that no base64 text has.
  if (bytes.starts_with('\n')) return read_sentencepiece(bytes);
  return read_tiktoken(bytes);
}

}  // namespace nibble::text
