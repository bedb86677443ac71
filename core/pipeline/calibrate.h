// Importance from a text: runs a model over it and sums the squares of what each weight matrix is
// multiplied with, experts apart. llama-imatrix does the same, but leaves out the last two
// positions of each window. An embedding that serves as the output matrix too is known by its own
// name.
#pragma once

#include <string>

#include "core/pipeline/evaluate.h"
#include "core/pipeline/imatrix.h"

namespace nibble {

struct Calibration {
  Imatrix imatrix;
  Perplexity perplexity;  // over the second half of each window
};

// dataset: the text's name, for the record. The engine is made here: it must tell its products.
// The sums do not depend on the number of threads. Fails as Engine does.
Result<Calibration> calibrate(const Model& model, ThreadPool& pool, const EvalWindows& windows,
                              std::string dataset, PerplexityProgress progress);

}  // namespace nibble
