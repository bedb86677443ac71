// A GGUF model's tensors as the Hugging Face folder of the same model has them: the reverse of what
// convert does, from the same table of the family.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/models/architecture.h"
#include "core/models/tensor_source.h"
#include "formats/safetensors_write.h"

namespace nibble {

class HfTensors {
 public:
  // names: see HfConfig. type: what all become; null: each keeps its own, vectors and routers take
  // that of the matrices where it loses nothing. Fails with kInvalidInput where a tensor is
  // quantized and type is null, kCorrupt as Weights::load.
  static Result<HfTensors> plan(const WeightFile& gguf, const Architecture& family,
                                const Hparams& hparams, const std::vector<std::string>& names,
                                const StoredType* type);

  const std::vector<SafetensorPlan>& plans() const { return plans_; }  // in the table's order
  // Writes all tensors, in memory of a few blocks of rows. go_on(done, total bytes), asked between
  // them: false: kInterrupted. Fails with kInvalidInput on numbers that are not finite or that the
  // type cannot hold, naming the tensor.
  Result<void> write(SafetensorsWriter& out, ThreadPool& pool,
                     FunctionRef<bool(uint64_t, uint64_t)> go_on) const;
  // What most weights are stored in: "float32", "bfloat16", "float16".
  std::string_view torch_dtype() const;

 private:
  friend class HfPlanner;
  // The GGUF matrices of one role: one, or one for each expert or head. A vector is a matrix of one
  // column.
  struct Part {
    TensorSpec spec;
    std::vector<Matrix> matrices;
    std::vector<int64_t> rows;  // of each row of the folder's part, the GGUF row; empty: the same
  };
  // One tensor of the folder. A block is made at once: a whole matrix where columns become rows,
  // else a run of rows.
  struct Item {
    std::vector<Part> parts;
    int64_t n_rows = 0, n_cols = 0;  // of one matrix, as the folder has it
    int64_t n_matrices = 1;
    int64_t block_rows = 0;
    bool is_vector = false;
    const StoredType* type = nullptr;
  };
  struct Block {
    const Item* item;
    size_t tensor;
    int64_t matrix, first, n;  // rows
  };
  std::vector<Block> blocks() const;
  std::vector<float> values(const Block& block) const;
  void fill_rows(const Block& block, float* out) const;
  void fill_columns(const Block& block, float* out) const;
  void fill_heads(const Block& block, float* out) const;

  Hparams hparams_;
  std::unique_ptr<OwnedParts> owned_;
  std::vector<Item> items_;
  std::vector<SafetensorPlan> plans_;
};

}  // namespace nibble
