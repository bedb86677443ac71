// What `quantize` and `convert` share: reading the source, the ledger, progress, the result.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/pipeline/quantize.h"

namespace nibble::cli {

struct RewriteOptions {
  std::string source;  // a MODEL
  std::vector<std::string> lora;  // FILE_OR_FOLDER[:SCALE], merged into the weights
  std::string imatrix;
  std::vector<std::string> overrides;  // PATTERN=TYPE
  std::string max_shard;
  int n_threads = 0;
  bool force = false, dry_run = false, json = false;
  bool errors = false;  // measure what weights lose
  bool verify = false;  // prove what was written (see core/pipeline/verify.h)
};

// "PATTERN=TYPE", parted at the last '='. Fails with kUsage.
Result<quant::Override> parse_override(const std::string& text);
// A type's name. Fails with kUsage, listing what can be written.
Result<const quant::Mix*> parse_mix(const std::string& name);

// Writes the targets (or only tells what would be written) and prints the result. plan holds the
// targets and the rules; what the options say is put into it.
Result<void> rewrite(const RewriteOptions& options, QuantizeOptions plan);

}  // namespace nibble::cli
