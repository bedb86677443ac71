// llama.cpp's names for pre-tokenizers (tokenizer.ggml.pre), each as what the models of that name
// say in their own tokenizer.json. Sources: those files, and llama.cpp's table of names.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace nibble::text {

struct NamedPipeline {
  Json normalizer;     // null: none
  Json pre_tokenizer;  // ends with ByteLevel when maps_bytes
  bool maps_bytes = true;
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
};

// Fails with kUnsupported on a name that is not known.
Result<NamedPipeline> named_pipeline(std::string_view name);

// One name of each pipeline in the table, those that most models go by first.
std::vector<std::string_view> pipeline_names();

}  // namespace nibble::text
