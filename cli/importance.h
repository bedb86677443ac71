// Where `quantize` and `convert` take importance from: a file, or a text that the source model is
// run over.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/pipeline/imatrix.h"

namespace nibble::cli {

struct ImportanceOptions {
  std::string file;        // --imatrix
  std::string text;        // --calibrate
  std::string save;        // --save-imatrix
  bool overwrite = false;  // what stands under that name

  bool any() const { return !file.empty() || !text.empty(); }
};
// Fails with kUsage where the options contradict one another.
Result<void> check_importance_options(const ImportanceOptions& options);
// Reads or collects; nullopt where neither is asked for. Saves where that is.
Result<std::optional<Imatrix>> find_importance(const ImportanceOptions& options,
                                               const std::string& model, int n_threads);

}  // namespace nibble::cli
