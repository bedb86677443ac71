// The parts of `nibble inspect`; each writes its result to standard output.
#pragma once

#include <optional>
#include <string>

#include "cli/input.h"
#include "core/base/error.h"
#include "formats/weight_file.h"

namespace nibble::cli {

struct InspectOptions {
  std::optional<std::string> model;
  bool metadata = false;
  std::string key;
  bool tensors = false;
  bool tokenize = false;
  bool no_special = false;
  bool detokenize = false;
  std::string render;  // CASE.json
  bool chat_template = false;
  bool json = false;
};

Result<void> inspect_installed(const InspectOptions& options);
Result<void> inspect_summary(const TextSource& source, const InspectOptions& options);
Result<void> inspect_metadata(const WeightFile& file, const InspectOptions& options);
Result<void> inspect_tensors(const WeightFile& file, const InspectOptions& options);
Result<void> inspect_tokenize(const InspectOptions& options);
Result<void> inspect_detokenize(const InspectOptions& options);
Result<void> inspect_render(const InspectOptions& options);
Result<void> inspect_template(const InspectOptions& options);

}  // namespace nibble::cli
