// See kv_format.h.
#include "core/ops/kv_format.h"

#include <algorithm>

namespace nibble {
namespace {

struct Row {
  std::string_view name;
  int block_len;
  int block_bytes;
};
constexpr Row kRows[kKvFormats] = {
    {"f32", 1, 4}, {"f16", 1, 2}, {"bf16", 1, 2}, {"q8_0", 32, 34}, {"q4_0", 32, 18}};

const Row& row_of(KvFormat format) { return kRows[static_cast<int>(format)]; }

Result<KvFormat> parse_one(std::string_view name, std::string_view text) {
  const auto* row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows))
    return fail(
        ErrorKind::kUsage,
        "KV type '{}': expected f32, f16, bf16, q8_0 or q4_0, or two of them as KEYS,VALUES", text);
  return static_cast<KvFormat>(row - kRows);
}

}  // namespace

size_t kv_row_bytes(KvFormat format, int width) {
  const Row& row = row_of(format);
  return static_cast<size_t>((width + row.block_len - 1) / row.block_len) * row.block_bytes;
}

std::string_view kv_format_name(KvFormat format) { return row_of(format).name; }

Result<KvTypes> parse_kv_types(std::string_view text) {
  const size_t comma = text.find(',');
  KvTypes types;
  NIBBLE_TRY(types.keys, parse_one(text.substr(0, comma), text));
  types.values = types.keys;
  if (comma != std::string_view::npos) {
    NIBBLE_TRY(types.values, parse_one(text.substr(comma + 1), text));
  }
  return types;
}

}  // namespace nibble
