// Finds the tensors of a family's table in a file, checks them, and makes matrices and vectors of
// them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/models/architecture.h"
#include "core/models/hf_prefix.h"
#include "core/ops/matmul.h"

namespace nibble {

// What weights own beside the file: copies, and decoders where no view serves.
struct OwnedParts {
  std::vector<std::unique_ptr<std::byte[]>> bytes;
  std::vector<std::unique_ptr<RowDecoder>> decoders;
};

// The tensor a spec names as the container stores it: one, or one for each {e} or {h}.
class TensorSource {
 public:
  // owned takes the copies that views cannot replace.
  TensorSource(const WeightFile& file, const Hparams& hparams, OwnedParts& owned);

  // The stored tensors of a spec; empty where there are none. Fails (kCorrupt) when some of several
  // are missing.
  Result<std::vector<const TensorView*>> find(const TensorSpec& spec) const;

  // shape [n_rows, n_cols]: one matrix; [n, n_rows, n_cols]: n of them. Empty where the tensor is
  // missing and not required; fails (kCorrupt) naming it otherwise.
  Result<std::vector<Matrix>> matrices(const TensorSpec& spec);
  // All elements in f32; null where missing and not required.
  Result<const float*> vector(const TensorSpec& spec);

 private:
  Result<std::vector<const TensorView*>> find_gguf(const TensorSpec& spec) const;
  Result<std::vector<const TensorView*>> find_named(std::string_view name, int n) const;
  Result<std::vector<Matrix>> stacked(const TensorSpec& spec, const TensorView& tensor);
  Result<std::vector<Matrix>> kv_b_parts(const TensorSpec& spec, const TensorView& kv_b);
  Result<void> check_shape(const TensorView& tensor, const Shape& expected) const;
  std::byte* own(size_t n_bytes);

  const TensorView* find_one(std::string_view name) const;

  const WeightFile& file_;
  const Hparams& hparams_;
  std::vector<std::unique_ptr<std::byte[]>>& owned_;
  std::vector<std::unique_ptr<RowDecoder>>& decoders_;
  HfPrefix prefix_;  // what a folder's names begin with instead of the table's
};

}  // namespace nibble
