// What `quantize` and `convert` share: reading the source, the ledger, progress, the result.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/importance.h"
#include "cli/threads.h"
#include "core/base/error.h"
#include "core/pipeline/quantize.h"

namespace nibble::cli {

struct RewriteOptions : ThreadOptions {
  std::string source;             // a MODEL
  std::vector<std::string> lora;  // FILE_OR_FOLDER[:SCALE], merged into the weights
  ImportanceOptions importance;
  std::vector<std::string> overrides;  // PATTERN=TYPE
  std::string max_shard;
  std::string size;  // --size, --bpw: the first target's mix is made for it
  std::optional<double> bpw;
  bool from_quantized = false;  // quantizes again what is quantized already
  bool force = false, dry_run = false, json = false;
  bool resume = false;              // goes on where an interrupted run ended
  bool errors = false;              // measure what weights lose
  std::string report, report_text;  // --report and --report-text (see cli/report.h)
  bool verify = false;              // prove what was written (see core/pipeline/verify.h)
};
// The options that both commands have.
void add_rewrite_options(App& command, RewriteOptions& options);

// "PATTERN=TYPE", parted at the last '='. Fails with kUsage.
Result<quant::Override> parse_override(const std::string& text);
// A type's name. Fails with kUsage, listing what can be written.
Result<const quant::Mix*> parse_mix(const std::string& name);

// Writes the targets (or only tells what would be written) and prints the result. plan holds the
// targets and the rules; what the options say is put into it.
Result<void> rewrite(const RewriteOptions& options, QuantizeOptions plan);

}  // namespace nibble::cli
