// nibble convert ADAPTER --base MODEL: a GGUF adapter.
#pragma once

#include "cli/rewrite.h"

namespace nibble::cli {

// options.source: a PEFT adapter for the model `base`.
Result<void> convert_adapter(const RewriteOptions& options, const std::string& base,
                             const std::string& out);

}  // namespace nibble::cli
