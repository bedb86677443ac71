// Reads a PyTorch checkpoint (pytorch_model.bin, consolidated.00.pth): a zip archive with a pickle
// of names and shapes and one entry for each storage, borrowed in place. The format from before
// PyTorch 1.6 is refused.
#pragma once

#include <vector>

#include "core/base/error.h"
#include "formats/stored_type.h"

namespace nibble {

// file: the whole file, which must outlive the result. In the pickle's order.
Result<std::vector<RawTensor>> read_torch_zip(std::span<const std::byte> file);

}  // namespace nibble
