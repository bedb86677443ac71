// Tiny models with random weights, made in memory from a family's tiny config: a WeightFile that is
// a GGUF file to its readers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/models/architecture.h"
#include "formats/weight_file.h"

namespace nibble::tests {

class MemoryModel final : public WeightFile {
 public:
  // format: of the matrices; where a row is no whole number of its blocks, and for vectors, f32.
  static Result<MemoryModel> create(const Architecture& architecture, std::string_view config,
                                    std::string_view format);

  std::string_view container() const override { return "gguf"; }
  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorView> tensors() const override { return tensors_; }
  const TensorView* find(std::string_view name) const override;
  uint64_t n_bytes() const override { return 0; }
  std::span<const std::filesystem::path> files() const override { return {}; }
  std::vector<MappedFile*> maps() override { return {}; }
  // Value w of row and column of matrix i becomes f(i, row, col, w). Of an f32 tensor.
  void change(std::string_view name,
              const std::function<double(int64_t i, int64_t row, int64_t col, double w)>& f);
  void poison(std::string_view name);  // the tensor's first value becomes no number

  void add(const TensorSpec& spec, std::string_view format);

 private:
  Metadata metadata_;
  std::deque<std::string> names_;
  std::deque<std::vector<std::byte>> bytes_;
  std::vector<TensorView> tensors_;
};

}  // namespace nibble::tests
