// A report on a quantized model: sizes, what each tensor lost, how far its predictions are from the
// source's; as JSON, or as one HTML page with drawings that needs nothing from elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/pipeline/divergence.h"

namespace nibble {

struct ReportTensor {
  std::string name, source_type, type;
  uint64_t n_source_bytes = 0, n_bytes = 0;
  double relative_error = 0;  // root mean square of what was lost over that of the weights
};

struct Report {
  std::string source, output, type;
  uint64_t n_source_bytes = 0, n_bytes = 0;  // of the files
  double bpw = 0;
  double relative_error = 0;  // of all weights
  std::vector<ReportTensor> tensors;
  std::string text;  // that the divergence was measured on
  std::optional<Divergence> divergence;
};

Json report_json(const Report& report);
std::string report_html(const Report& report);

}  // namespace nibble
