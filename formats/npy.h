// Writes a float32 matrix as a NumPy file, row by row. Format: numpy.lib.format, version 1.0, C
// order, little-endian.
#pragma once

#include <filesystem>
#include <span>

#include "core/base/output_file.h"

namespace nibble {

class NpyWriter {
 public:
  // [n_rows, n_cols]; the target is replaced when the last row was added and finish() called. Fails
  // with kOutput or kUsage.
  static Result<NpyWriter> create(const std::filesystem::path& target, int64_t n_rows,
                                  int64_t n_cols, bool overwrite);
  Result<void> add_row(std::span<const float> row);  // n_cols values
  Result<void> finish();                             // after n_rows rows

 private:
  NpyWriter(OutputFile file, int64_t n_rows, int64_t n_cols)
      : file_(std::move(file)), n_rows_(n_rows), n_cols_(n_cols) {}
  OutputFile file_;
  int64_t n_rows_, n_cols_, n_added_ = 0;
};

}  // namespace nibble
