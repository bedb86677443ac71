// nibble convert --to hf: a Hugging Face folder.
#pragma once

#include "cli/rewrite.h"

namespace nibble::cli {

// type: "" (as stored), f32, f16 or bf16.
Result<void> convert_to_hf(const RewriteOptions& options, const std::string& out,
                           const std::string& type);
}  // namespace nibble::cli
