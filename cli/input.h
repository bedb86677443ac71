// Whole inputs: files and standard input.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "formats/path_message.h"
#include "formats/weight_file.h"

namespace nibble::cli {

// "-" is standard input. Fails with kNotFound, or kInvalidInput when it cannot be read.
Result<std::string> read_text(const std::string& path);

// What is wrong with an input that the user wrote, behind its name. That is never damaged: there is
// nothing to fetch again.
template <class T>
Result<T> in_input(const std::string& path, Result<T> result) {
  if (!result && result.error().kind == ErrorKind::kCorrupt)
    result.error().kind = ErrorKind::kInvalidInput;
  return with_path(path == "-" ? "standard input" : path, std::move(result));
}

// What a model says about text: a tokenizer and where its metadata stands. From a GGUF file (a
// vocabulary is enough) or from a folder with tokenizer.json.
struct TextSource {
  std::filesystem::path path;
  std::unique_ptr<WeightFile> file;  // null for a folder until open_weights()
  std::unique_ptr<Tokenizer> tokenizer;
};
Result<TextSource> open_text_source(const std::optional<std::string>& model);
// The tokenizer alone, where path and file are known.
Result<std::unique_ptr<Tokenizer>> read_tokenizer(const TextSource& source);
// Opens the folder's weights as well, where that has not been done.
Result<void> open_weights(TextSource& source);

}  // namespace nibble::cli
