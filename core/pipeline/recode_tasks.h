// The pieces that recoding is done in: a few rows of one matrix each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/pipeline/recode.h"

namespace nibble {

// Rows of one matrix of one job.
struct RecodeTask {
  size_t job;
  int64_t matrix, first_row, n_rows;  // first_row counts through all matrices
  uint32_t largest = 0;  // magnitude of the largest weight, as bits; 0: finite, no more
                         // is known of what is only copied
  std::vector<RecodeError> errors{};  // [writer]
  std::vector<RecodeCast> casts{};    // [writer]
};

// In the order of jobs and rows; of so many weights that what is made of them fits the cache.
std::vector<RecodeTask> make_recode_tasks(std::span<const RecodeJob> jobs);

}  // namespace nibble
