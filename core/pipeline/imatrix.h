// Importance matrices: of each weight matrix the mean square of what its columns are multiplied
// with, seen over a calibration text. llama.cpp's two files are read and written: GGUF
// (general.type "imatrix") and the older .dat.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "formats/weight_file.h"

namespace nibble {

class Imatrix {
 public:
  struct Entry {
    std::vector<float> sums;    // [n_matrices, n_cols]: sums of squares
    std::vector<float> counts;  // [n_matrices]: how many rows went into them
  };
  std::map<std::string, Entry, std::less<>> entries;  // by the weight tensor's name
  std::vector<std::string> datasets;
  uint64_t n_chunks = 0;
  uint64_t chunk_tokens = 0;

  // Mean squares [n_matrices, n_cols], ready for encoders: positive, and for each column of a
  // matrix that was never used the mean over the columns of those that were. Empty: no such tensor.
  // Fails (kInvalidInput) when the sizes are not those of the tensor.
  Result<std::vector<float>> importance(std::string_view tensor, int64_t n_matrices,
                                        int64_t n_cols) const;
};

// Either file, told apart by content. Fails with kNotFound, kCorrupt or kUnsupported; messages
// begin with the path.
Result<Imatrix> read_imatrix(const std::filesystem::path& path);
// A path that ends in ".dat" gets the older file. Fails with kOutput or kUsage.
Result<void> write_imatrix(const Imatrix& imatrix, const std::filesystem::path& path,
                           bool overwrite);

}  // namespace nibble
