// A folder's tensors as the GGUF file of the same model has them: llama.cpp's names, shapes, order
// of rows, experts in stacks. What a tensor is made of comes from its family's table alone.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/models/architecture.h"
#include "core/models/tensor_source.h"
#include "core/tensor/tensor_view.h"

namespace nibble {

// In the table's order. Views borrow from the source and from this. Where view.decoder is set it is
// a StoredRows, and view.format is what the rows are stored in; bytes are empty.
struct ConvertedTensors {
  std::vector<TensorView> views;
  std::deque<std::string> names;
  OwnedParts owned;
  std::vector<std::unique_ptr<RowDecoder>> rows;

  // source: a folder; hparams: as its family reads them from it. Each tensor keeps the precision
  // it is stored in; vectors, norms and routers are F32, and so is what GGUF has no format for
  // (FP8, GPTQ, AWQ with their scales; F64). Fails (kCorrupt) naming a tensor that is missing or
  // misshapen.
  static Result<ConvertedTensors> make(const WeightFile& source, const Architecture& family,
                                       const Hparams& hparams);
};

}  // namespace nibble
