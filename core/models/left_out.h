// The tensors of a file that its family does not use: vision and audio parts, layers that predict
// further tokens.
#pragma once

#include <string_view>
#include <vector>

#include "core/models/architecture.h"
#include "core/models/model.h"

namespace nibble {

// Their names, in file order; buffers that originals stored beside the weights (masks, frequencies)
// do not count. hparams: as the family reads them from file.
std::vector<std::string_view> left_out_tensors(const WeightFile& file, const Architecture& family,
                                               const Hparams& hparams);
// The same of a model that was loaded from file.
std::vector<std::string_view> left_out_tensors(const WeightFile& file, const Model& model);

}  // namespace nibble
