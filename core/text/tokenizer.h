// Text to token ids and back. A tokenizer is a pipeline (normalizers, pre-tokenizers, model,
// post-processor, decoder) read from a GGUF file's metadata or a tokenizer.json and interpreted as
// it stands; immutable once loaded and safe to use from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "formats/metadata.h"

namespace nibble {

using TokenId = int32_t;

struct EncodeOptions {
  bool add_special = true;    // what the tokenizer adds on its own: BOS, EOS
  bool parse_special = true;  // special tokens written in the text become their ids
  // Bytes of the text, ascending: what covers one of them is text, even where it looks like a
  // special token.
  std::span<const size_t> plain_at = {};
};

class Tokenizer {
 public:
  // From the tokenizer.ggml.* keys of a GGUF file (tensors are not needed). metadata must outlive
  // the tokenizer.
  static Result<std::unique_ptr<Tokenizer>> from_gguf(const Metadata& metadata);
  // From a folder with tokenizer.json, tokenizer.model or vocab.json and merges.txt (and
  // tokenizer_config.json, generation_config.json where there are any).
  static Result<std::unique_ptr<Tokenizer>> from_folder(const std::filesystem::path& folder);
  virtual ~Tokenizer() = default;

  // Fails (kInvalidInput) only when a budget is exceeded. Invalid UTF-8 is encoded byte by byte
  // where the model has bytes, else as U+FFFD.
  virtual Result<std::vector<TokenId>> encode(std::string_view text,
                                              EncodeOptions options = {}) const = 0;
  // Ids back to text, as the `tokenizers` package decodes with special tokens kept; bytes that are
  // no UTF-8 become U+FFFD. Fails (kInvalidInput) on an id outside the vocabulary.
  virtual Result<std::string> decode(std::span<const TokenId> ids) const = 0;
  // The raw bytes that one token adds to a text that already has some (the first token of a text
  // may lose its space): for streaming. Control tokens give nothing unless special is set.
  virtual std::string piece(TokenId id, bool special = false) const = 0;

  virtual int n_vocab() const = 0;
  virtual std::string_view token_text(TokenId id) const = 0;  // as stored in the vocabulary
  // By stored text, special tokens included.
  virtual std::optional<TokenId> find(std::string_view text) const = 0;
  virtual bool is_control(TokenId id) const = 0;  // special: not shown to a reader
  virtual std::optional<TokenId> bos() const = 0;
  virtual std::optional<TokenId> eos() const = 0;
  virtual bool adds_bos() const = 0;          // encode() with add_special begins with BOS
  virtual bool is_end(TokenId id) const = 0;  // of generation: every such token of the model
  virtual std::span<const TokenId> end_tokens() const = 0;
  virtual std::string_view kind() const = 0;  // "bpe", "sentencepiece", "unigram", ...
};

}  // namespace nibble
