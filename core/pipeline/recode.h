// Streams tensors from mapped files into GGUF files: rows are decoded to floats once, encoded for
// each output, and written in order, one batch being written while the next is made. Memory is a
// few batches, whatever the tensors' size; the bytes do not depend on the number of threads.
#pragma once

#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/pipeline/recode_cast.h"
#include "core/tensor/tensor_view.h"
#include "formats/gguf_write.h"

namespace nibble {

struct RecodeJob {
  TensorView source;
  std::vector<const quant::Format*> targets;  // one for each writer; the source's own: copied
  // [n_matrices, n_cols], or [n_cols] for all, or empty: none known. Not negative.
  std::span<const float> importance;
};

// What a job's weights lost in one output.
struct RecodeError {
  double sum_squares = 0;        // of the weights
  double sum_error_squares = 0;  // of what they became less what they were
};

struct RecodeResult {
  std::vector<RecodeCast> casts;                  // [writer]: of this run
  std::vector<std::vector<std::string>> digests;  // [writer][job]: XXH3-128 of what was written
  std::vector<std::vector<RecodeError>> errors;   // [writer][job], where they were measured
  size_t n_taken_up = 0;                          // jobs that an earlier run had done
};

struct RecodeOptions {
  int64_t batch_weights = 4 * 1024 * 1024;  // made while the batch before is written
  bool measure_errors = false;              // decodes what was encoded and compares
  bool clamp = false;  // weights beyond a 16-bit float's range become its largest number
  // Asked between batches, with the source's bytes done and in all; false: stop.
  FunctionRef<bool(uint64_t, uint64_t)> go_on;
};

// Fails with kInvalidInput, naming the tensor, on numbers that are not finite or that a target
// cannot hold (and is not told to clamp); with kInterrupted when told to stop; with kOutput. The
// writers are not committed.
Result<RecodeResult> recode(std::span<const RecodeJob> jobs, std::span<gguf::Writer> writers,
                            ThreadPool& pool, const RecodeOptions& options);

}  // namespace nibble
