// How a checkpoint says that its weights are quantized, and the making of one logical tensor of the
// several that are stored. Each way is a file of formats/encodings; what is not read is refused by
// its name.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/tensor/tensor_view.h"
#include "formats/stored_type.h"

namespace nibble {

struct Encoding {
  enum class Kind { kPlain, kScaled, kRowPacked, kGptq, kAwq, kMxfp4 };
  Kind kind = Kind::kPlain;
  int bits = 4;
  int64_t group_size = 0;  // -1: a column is one group
  int gptq_zero_offset = 1;
  int64_t block_rows = 0, block_cols = 0;  // of FP8 scales, where the configuration tells them
  bool operator==(const Encoding&) const = default;
};

// config: config.json, whose quantization_config is read where there is one.
Result<Encoding> read_encoding(const Json& config);

// Logical tensors and what they are decoded by. raw must outlive it.
struct LogicalTensors {
  std::vector<TensorView> views;
  std::vector<std::unique_ptr<RowDecoder>> decoders;
  std::deque<std::string> names;  // of tensors that are stored under another one
};

// In the order of raw. Names in raw must be unique. Fails (kCorrupt) where a part is missing or
// misshapen, naming it.
Result<LogicalTensors> make_logical(const std::vector<RawTensor>& raw, const Encoding& encoding);

}  // namespace nibble
