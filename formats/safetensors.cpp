#include "formats/safetensors.h"

#include <algorithm>
#include <limits>

#include "core/base/byte_cursor.h"
#include "core/base/json.h"
#include "core/base/printable.h"

namespace nibble {
namespace {

struct Placed {
  RawTensor tensor;
  uint64_t begin = 0, end = 0;  // in the data section
};

std::unexpected<Error> bad_entry(std::string_view name, std::string_view what) {
  return corrupt("tensor {}: {}", in_quotes(name), what);
}

// A list of integers that are not negative.
Result<std::vector<int64_t>> read_sizes(const Json& entry, const char* key, std::string_view name) {
  const auto list = entry.find(key);
  if (list == entry.end() || !list->is_array())
    return bad_entry(name, fmt::format("has no list '{}'", key));
  if (list->size() > 64)
    return bad_entry(name, fmt::format("'{}' has {} numbers", key, list->size()));
  std::vector<int64_t> out;
  for (const Json& n : *list) {
    if (!n.is_number_unsigned() ||
        n.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return bad_entry(
          name, fmt::format("'{}' holds {}, expected integers", key, printable(dump_json(n))));
    out.push_back(n.get<int64_t>());
  }
  return out;
}

Result<Placed> read_entry(const std::string& name, const Json& entry,
                          std::span<const std::byte> data) {
  if (!entry.is_object()) return bad_entry(name, "is described by something that is no object");
  Placed p;
  p.tensor.name = name;
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) return bad_entry(name, "has no 'dtype'");
  const auto& type = dtype->get_ref<const std::string&>();
  p.tensor.type = find_stored_type(type);
  if (!p.tensor.type)
    return unsupported("tensor {}: dtype {} is not read", in_quotes(name), in_quotes(type));
  NIBBLE_TRY(const auto sizes, read_sizes(entry, "shape", name));
  NIBBLE_TRY(p.tensor.shape, checked_shape(name, sizes));
  NIBBLE_TRY(const auto offsets, read_sizes(entry, "data_offsets", name));
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    return bad_entry(name, "'data_offsets' are not a begin and an end");
  p.begin = static_cast<uint64_t>(offsets[0]);
  p.end = static_cast<uint64_t>(offsets[1]);
  if (p.end > data.size())
    return corrupt(
        "tensor {}: ends at {} of the data section, which has {}: the file is cut off or damaged",
        in_quotes(name), p.end, data.size());
  const uint64_t expected =
      static_cast<uint64_t>(p.tensor.shape.n_elements()) * p.tensor.type->n_bytes();
  if (p.end - p.begin != expected)
    return corrupt("tensor {}: {} bytes, expected {} for shape {} of {}", in_quotes(name),
                   p.end - p.begin, expected, to_string(p.tensor.shape), p.tensor.type->name);
  p.tensor.bytes = data.subspan(p.begin, p.end - p.begin);
  return p;
}

// No byte of the data section belongs to two tensors or to none.
Result<void> check_cover(std::span<const Placed> sorted, uint64_t data_bytes) {
  uint64_t at = 0;
  for (const Placed& p : sorted) {
    if (p.begin != at)
      return corrupt(
          "tensor {}: begins at {} of the data section, expected {}: tensors overlap or leave a "
          "gap",
          in_quotes(p.tensor.name), p.begin, at);
    at = p.end;
  }
  if (at != data_bytes)
    return corrupt("{} bytes follow the last tensor, expected none", data_bytes - at);
  return {};
}

}  // namespace

Result<Shape> checked_shape(std::string_view tensor, std::span<const int64_t> sizes) {
  int64_t n = 1;
  for (const int64_t size : sizes) {
    const bool fits = size >= 0 && size <= std::numeric_limits<int32_t>::max();
    if (!fits || __builtin_mul_overflow(n, size, &n) || n > int64_t{1} << 56)
      return corrupt("tensor {}: a size of {}, or too many elements with it", in_quotes(tensor),
                     size);
  }
  Shape shape;
  const size_t merged = sizes.size() > kMaxDims ? sizes.size() - kMaxDims : 0;
  int64_t first = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    first *= sizes[i];
    if (i < merged) continue;
    shape.dim[static_cast<size_t>(shape.n_dims++)] = first;
    first = 1;
  }
  return shape;
}

bool begins_safetensors(std::string_view head) {
  return head.size() > 9 && head[8] == '{' && head[7] == 0 && head[6] == 0;
}

Result<std::vector<RawTensor>> read_safetensors(std::span<const std::byte> file) {
  ByteCursor in(file);
  NIBBLE_TRY(const uint64_t n_header, in.u64());
  if (n_header > in.remaining())
    return corrupt("byte 0: a header of {} bytes, but only {} follow", n_header, in.remaining());
  if (n_header > kMaxSafetensorsHeader)
    return corrupt("byte 0: a header of {} bytes, expected at most {}", n_header,
                   kMaxSafetensorsHeader);
  NIBBLE_TRY(const std::string_view text, in.text(n_header));
  NIBBLE_TRY(const Json header, parse_json(text));
  if (!header.is_object()) return corrupt("byte 8: the header is no JSON object");
  const auto data = file.subspan(in.offset());
  std::vector<Placed> placed;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    NIBBLE_TRY(placed.emplace_back(), read_entry(name, entry, data));
  }
  std::ranges::sort(placed, [](const Placed& a, const Placed& b) {
    return a.begin != b.begin ? a.begin < b.begin
                              : a.end < b.end;  // tensors without elements first
  });
  NIBBLE_CHECK(check_cover(placed, data.size()));
  std::vector<RawTensor> tensors;
  tensors.reserve(placed.size());
  for (Placed& p : placed) tensors.push_back(std::move(p.tensor));
  return tensors;
}

}  // namespace nibble
