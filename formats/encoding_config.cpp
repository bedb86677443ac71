// What config.json says of a checkpoint's quantization. The names and defaults are those of
// transformers' quantization configurations.
#include <algorithm>
#include <cctype>
#include <optional>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/encodings.h"

namespace nibble {
namespace {

using Kind = Encoding::Kind;

std::string text_of(const Json& object, const char* key, std::string otherwise) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : otherwise;
}
Result<int64_t> integer_of(const Json& object, const char* key, int64_t otherwise) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return otherwise;
  if (!at->is_number_integer())
    return corrupt("quantization_config: '{}' is {}, expected an integer", key,
                   printable(dump_json(*at)));
  return at->get<int64_t>();
}
bool is_false(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() && !at->get<bool>();
}

Result<Encoding> read_packed(const Json& q, Kind kind, std::string_view method) {
  Encoding e{.kind = kind};
  NIBBLE_TRY(const int64_t w_bit, integer_of(q, "w_bit", 4));  // AutoAWQ's own names
  NIBBLE_TRY(const int64_t bits, integer_of(q, "bits", w_bit));
  NIBBLE_TRY(const int64_t q_group_size, integer_of(q, "q_group_size", 128));
  NIBBLE_TRY(e.group_size, integer_of(q, "group_size", q_group_size));
  const bool fits = bits == 4 || (kind == Kind::kGptq && (bits == 2 || bits == 3 || bits == 8));
  if (!fits) return unsupported("quantization '{}' with {} bits is not read", method, bits);
  if (e.group_size == 0 || e.group_size < -1 || e.group_size > INT32_MAX)
    return corrupt("quantization_config: 'group_size' is {}", e.group_size);
  e.bits = static_cast<int>(bits);
  return e;
}

Result<Encoding> read_gptq(const Json& q) {
  NIBBLE_TRY(Encoding e, read_packed(q, Kind::kGptq, "gptq"));
  const std::string format = text_of(q, "checkpoint_format", "gptq");
  if (format != "gptq" && format != "gptq_v2")
    return unsupported("quantization 'gptq' in the format {} is not read", in_quotes(format));
  e.gptq_zero_offset = format == "gptq" ? 1 : 0;
  return e;
}

Result<Encoding> read_awq(const Json& q) {
  std::string version = text_of(q, "version", "gemm");
  std::ranges::transform(version, version.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (version != "gemm")
    return unsupported("quantization 'awq' in the version {} is not read", in_quotes(version));
  if (is_false(q, "zero_point"))
    return unsupported("quantization 'awq' without zero points is not read");
  return read_packed(q, Kind::kAwq, "awq");
}

Result<Encoding> read_fp8(const Json& q) {
  Encoding e{.kind = Kind::kScaled};
  const auto block = q.find("weight_block_size");
  if (block == q.end() || block->is_null()) return e;
  const bool pair = block->is_array() && block->size() == 2 && (*block)[0].is_number_unsigned() &&
                    (*block)[1].is_number_unsigned();
  if (pair) {
    e.block_rows = (*block)[0].get<int64_t>();
    e.block_cols = (*block)[1].get<int64_t>();
  }
  if (!pair || e.block_rows < 1 || e.block_cols < 1 || e.block_rows > INT32_MAX ||
      e.block_cols > INT32_MAX)
    return corrupt("quantization_config: 'weight_block_size' is {}, expected two sizes",
                   printable(dump_json(*block)));
  return e;
}

// What a group of compressed-tensors says of its weights.
Result<Json> group_weights(const Json& group, std::string_view name) {
  const auto weights = group.is_object() ? group.find("weights") : group.end();
  if (!group.is_object() || weights == group.end() || !weights->is_object())
    return corrupt("quantization_config: {} has no 'weights'", in_quotes(name));
  return *weights;
}

std::unexpected<Error> no_strategy(std::string_view strategy) {
  return unsupported("quantization 'compressed-tensors' with the strategy {} is not read",
                     in_quotes(strategy));
}

// Scales for a tensor, a row or a block.
Result<Encoding> read_scaled_group(const Json& weights) {
  const std::string strategy = text_of(weights, "strategy", "");
  if (is_false(weights, "symmetric"))
    return unsupported("quantization 'compressed-tensors' that is not symmetric is not read");
  if (strategy == "block")
    return read_fp8(Json{{"weight_block_size", weights.value("block_structure", Json())}});
  if (strategy != "tensor" && strategy != "channel") return no_strategy(strategy);
  return Encoding{.kind = Kind::kScaled};
}

Result<Encoding> read_row_packed_group(const Json& weights) {
  Encoding e{.kind = Kind::kRowPacked, .group_size = -1};
  const std::string strategy = text_of(weights, "strategy", ""),
                    type = text_of(weights, "type", "int");
  NIBBLE_TRY(const int64_t bits, integer_of(weights, "num_bits", 4));
  if (type != "int" || (bits != 4 && bits != 8))
    return unsupported("quantization 'compressed-tensors' with {} bits of the type {} is not read",
                       bits, in_quotes(type));
  e.bits = static_cast<int>(bits);
  if (strategy == "channel") return e;
  if (strategy != "group") return no_strategy(strategy);
  NIBBLE_TRY(e.group_size, integer_of(weights, "group_size", 128));
  if (e.group_size < 1 || e.group_size > INT32_MAX)
    return corrupt("quantization_config: 'group_size' is {}", e.group_size);
  return e;
}

// compressed-tensors: groups of modules, each with what its weights are.
Result<Encoding> read_compressed(const Json& q) {
  const std::string format = text_of(q, "format", "");
  const bool packed = format == "pack-quantized";
  if (!packed && format != "float-quantized" && format != "naive-quantized" &&
      format != "int-quantized")
    return unsupported("quantization 'compressed-tensors' in the format {} is not read",
                       in_quotes(format));
  const auto groups = q.find("config_groups");
  if (groups == q.end() || !groups->is_object() || groups->empty())
    return corrupt("quantization_config: has no 'config_groups'");
  std::optional<Encoding> all;
  for (const auto& [name, group] : groups->items()) {
    NIBBLE_TRY(const Json weights, group_weights(group, name));
    NIBBLE_TRY(const Encoding e,
               packed ? read_row_packed_group(weights) : read_scaled_group(weights));
    if (all && packed && *all != e)
      return unsupported("quantization 'compressed-tensors' with groups that differ is not read");
    if (!all || e.block_rows) all = e;
  }
  return *all;
}

// modelopt: FP8 with one scale a tensor.
Result<Encoding> read_modelopt(const Json& q) {
  const std::string algorithm = text_of(q, "quant_algo", "");
  if (algorithm != "FP8")
    return unsupported("quantization 'modelopt' of the kind {} is not read", in_quotes(algorithm));
  return Encoding{.kind = Kind::kScaled};
}

}  // namespace

Result<Encoding> read_encoding(const Json& config) {
  const auto found = config.find("quantization_config");
  if (found == config.end() || found->is_null()) {
    if (const auto mlx = config.find("quantization"); mlx != config.end() && mlx->is_object())
      return unsupported("quantization 'mlx' is not read");
    return Encoding{};
  }
  if (!found->is_object()) return corrupt("config.json: 'quantization_config' is no object");
  const std::string method =
      text_of(*found, "quant_method", config.contains("quantization") ? "mlx" : "");
  if (method == "fp8" || method == "fbgemm_fp8") return read_fp8(*found);
  if (method == "compressed-tensors") return read_compressed(*found);
  if (method == "modelopt") return read_modelopt(*found);
  if (method == "gptq") return read_gptq(*found);
  if (method == "awq") return read_awq(*found);
  if (method == "mxfp4") return Encoding{.kind = Kind::kMxfp4};
  return unsupported(
      "quantization {} is not read; fp8, fbgemm_fp8, modelopt, compressed-tensors, gptq, awq and "
      "mxfp4 are",
      in_quotes(method));
}

}  // namespace nibble
