// The member "model" of a tokenizer.json (without its vocabulary): which model, with which
// settings.
#pragma once

#include "core/text/pipeline.h"

namespace nibble::text {

// maps_bytes: the pre-tokenizer leaves words as bytes. Takes merges, ranks and scores out of
// source. Fails with kUnsupported on a type or a setting that is not built in.
Result<std::unique_ptr<SubwordModel>> read_model(const Json& json, bool maps_bytes,
                                                 TokenizerSource&& source);

}  // namespace nibble::text
