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
// What --imatrix names; nullopt: nothing.
Result<std::optional<Imatrix>> read_importance(const ImportanceOptions& options);
// What comes of running the model over the text of --calibrate.
Result<Imatrix> collect_importance(const ImportanceOptions& options, const std::string& model,
                                   int n_threads);
// Writes it where --save-imatrix asks for that.
Result<void> save_importance(const ImportanceOptions& options, const Imatrix& imatrix);

}  // namespace nibble::cli
