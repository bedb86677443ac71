// quantize --report: what the first output lost, measured and written.
#pragma once

#include "cli/ledger.h"
#include "cli/rewrite.h"

namespace nibble::cli {

struct ReportOptions {
  std::string file;  // .html or .json
  std::string text;  // that both models are run over; empty: none
};
// Fails with kUsage: another kind of file, one that is there already without force.
Result<void> check_report_options(const ReportOptions& options, bool force);
// After the outputs are written; the ledger has measured errors.
Result<void> write_report(const ReportOptions& options, const RewriteOptions& rewrite,
                          const Ledger& ledger);

}  // namespace nibble::cli
