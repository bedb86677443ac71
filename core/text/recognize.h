// Which of llama.cpp's tokenizers does what a pipeline says, told by what it does to texts.
#pragma once

#include <string_view>

#include "core/text/pipeline.h"

namespace nibble::text {

// tokenizer.ggml.model and tokenizer.ggml.pre.
struct LlamaCppTokenizer {
  std::string_view model;     // "gpt2", "llama", "t5", "bert"; kOwn: none of llama.cpp's
  std::string_view pre;       // for "gpt2"; kOwn: a pre-tokenizer that llama.cpp has no name for
  bool space_prefix = false;  // for "llama" and "t5": a text begins with a space
  bool fits() const { return model != kOwn && pre != kOwn; }
  static constexpr std::string_view kOwn = "nibble";
};

// Fails (kUnsupported) where nibble itself cannot read the pipeline.
Result<LlamaCppTokenizer> recognize(const TokenizerSource& source);

}  // namespace nibble::text
