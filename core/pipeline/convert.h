// A folder read as the GGUF file that convert makes of it: llama.cpp's keys, names, shapes and row
// orders. Rows are made when they are asked for, so that one pass writes the file, in any format.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/text/recognize.h"
#include "formats/metadata_draft.h"
#include "formats/weight_file.h"

namespace nibble {

// What is worth telling of a conversion.
struct ConvertNotes {
  std::vector<std::string_view> left_out;  // tensors that the family does not use
  bool has_tokenizer = true;               // the folder has one
  text::LlamaCppTokenizer tokenizer;       // what llama.cpp is told of it
};

// A folder as a GGUF file.
class ConvertedModel : public WeightFile {
 public:
  // Notes the SHA-256 of all source files in the metadata, which until then has zeros in their
  // place. go_on is asked now and then, with the bytes done and in all; false: kInterrupted.
  virtual Result<void> hash_sources(ThreadPool& pool,
                                    FunctionRef<bool(uint64_t, uint64_t)> go_on) = 0;
};

struct GgufSource {
  std::unique_ptr<WeightFile> file;     // a GGUF file as it stands, or a folder as one
  ConvertedModel* converted = nullptr;  // file, where it is a folder
  std::filesystem::path path;           // what was opened
  ConvertNotes notes;
};

// nibble.source.files, nibble.source.sha256: the files that a model was converted from.
// nibble.commands: what made the file, step by step, without paths: the same input and options give
// the same bytes wherever they stand.
inline constexpr std::string_view kSourceFilesKey = "nibble.source.files";
inline constexpr std::string_view kSourceHashesKey = "nibble.source.sha256";
inline constexpr std::string_view kCommandsKey = "nibble.commands";
// Adds a step to what draft has under kCommandsKey.
void add_command(std::string command, MetadataDraft& draft);

// Opens MODEL. Of a folder everything is checked before a tensor is touched: fails with
// kUnsupported (a family, a value, a tokenizer that is not built in), kCorrupt (missing or
// misshapen tensors), naming it.
Result<GgufSource> open_as_gguf(const std::filesystem::path& path);

}  // namespace nibble
