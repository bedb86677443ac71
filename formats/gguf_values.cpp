#include "formats/gguf_values.h"

#include <array>
#include <limits>

#include "core/base/printable.h"
#include "formats/gguf_header.h"

namespace nibble::gguf {
namespace {

struct TypeInfo {
  std::string_view name;
  uint64_t n_bytes;  // least size of one value in a file
};
constexpr std::array<TypeInfo, kValueTypes> kTypeInfos{{{"u8", 1},
                                                        {"i8", 1},
                                                        {"u16", 2},
                                                        {"i16", 2},
                                                        {"u32", 4},
                                                        {"i32", 4},
                                                        {"f32", 4},
                                                        {"bool", 1},
                                                        {"string", 8},
                                                        {"array", 12},
                                                        {"u64", 8},
                                                        {"i64", 8},
                                                        {"f64", 8}}};

Result<ValueType> read_value_type(ByteCursor& in, std::string_view key) {
  const uint64_t at = in.offset();
  NIBBLE_TRY(const uint32_t type, in.u32());
  if (type >= kValueTypes)
    return corrupt("key {} (byte {}): value type {}, expected 0..12", in_quotes(key), at, type);
  return static_cast<ValueType>(type);
}

// n values of T as they lie in the file, each one widened to Wide.
template <class T, class Wide>
Result<MetadataArray> read_numbers(ByteCursor& in, uint64_t n) {
  NIBBLE_TRY(const auto bytes, in.take(n * sizeof(T)));
  std::vector<Wide> values(n);
  for (uint64_t i = 0; i < n; ++i) {
    const T value = load_le<T>(bytes.data() + i * sizeof(T));
    values[i] = static_cast<Wide>(value);  // NOLINT(bugprone-signed-char-misuse): int8 is a number
  }
  return values;
}

Result<bool> read_bool(ByteCursor& in) {
  NIBBLE_TRY(const uint8_t value, in.u8());
  if (value > 1)
    return corrupt("byte {}: a bool of value {}, expected 0 or 1", in.offset() - 1, value);
  return value == 1;
}

Result<MetadataArray> read_bools(ByteCursor& in, uint64_t n) {
  std::vector<bool> values(n);
  for (uint64_t i = 0; i < n; ++i) {
    NIBBLE_TRY(const bool value, read_bool(in));
    values[i] = value;
  }
  return values;
}

Result<MetadataArray> read_strings(ByteCursor& in, uint64_t n) {
  std::vector<std::string_view> values;
  values.reserve(n);
  for (uint64_t i = 0; i < n; ++i) {
    auto value = in.string(std::numeric_limits<uint64_t>::max());
    if (!value) return corrupt("element {}: {}", i, value.error().message);
    values.push_back(*value);
  }
  return values;
}

Result<MetadataArray> read_elements(ByteCursor& in, ValueType type, uint64_t n) {
  switch (type) {
    case ValueType::kU8:
      return read_numbers<uint8_t, uint64_t>(in, n);
    case ValueType::kI8:
      return read_numbers<int8_t, int64_t>(in, n);
    case ValueType::kU16:
      return read_numbers<uint16_t, uint64_t>(in, n);
    case ValueType::kI16:
      return read_numbers<int16_t, int64_t>(in, n);
    case ValueType::kU32:
      return read_numbers<uint32_t, uint64_t>(in, n);
    case ValueType::kI32:
      return read_numbers<int32_t, int64_t>(in, n);
    case ValueType::kU64:
      return read_numbers<uint64_t, uint64_t>(in, n);
    case ValueType::kI64:
      return read_numbers<int64_t, int64_t>(in, n);
    case ValueType::kF32:
      return read_numbers<float, double>(in, n);
    case ValueType::kF64:
      return read_numbers<double, double>(in, n);
    case ValueType::kBool:
      return read_bools(in, n);
    case ValueType::kString:
      return read_strings(in, n);
    case ValueType::kArray:
      break;
  }
  return unsupported("an array of arrays");
}

template <class T, class Wide>
Result<MetadataValue> read_number(ByteCursor& in) {
  NIBBLE_TRY(const T value, in.read<T>());
  return static_cast<Wide>(value);
}

Result<MetadataValue> read_scalar(ByteCursor& in, ValueType type) {
  switch (type) {
    case ValueType::kU8:
      return read_number<uint8_t, uint64_t>(in);
    case ValueType::kI8:
      return read_number<int8_t, int64_t>(in);
    case ValueType::kU16:
      return read_number<uint16_t, uint64_t>(in);
    case ValueType::kI16:
      return read_number<int16_t, int64_t>(in);
    case ValueType::kU32:
      return read_number<uint32_t, uint64_t>(in);
    case ValueType::kI32:
      return read_number<int32_t, int64_t>(in);
    case ValueType::kU64:
      return read_number<uint64_t, uint64_t>(in);
    case ValueType::kI64:
      return read_number<int64_t, int64_t>(in);
    case ValueType::kF32:
      return read_number<float, double>(in);
    case ValueType::kF64:
      return read_number<double, double>(in);
    case ValueType::kBool:
      return read_bool(in);
    case ValueType::kString:
      return in.string(std::numeric_limits<uint64_t>::max());
    case ValueType::kArray:
      break;
  }
  return unsupported("an array where a single value stands");
}

// Element type, count and elements. n_elements counts those of all arrays of the file.
Result<MetadataArray> read_array(ByteCursor& in, Metadata::Entry& entry, uint64_t& n_elements) {
  NIBBLE_TRY(const ValueType type, read_value_type(in, entry.key));
  entry.gguf_type = static_cast<uint32_t>(type);
  const uint64_t at = in.offset();
  NIBBLE_TRY(const uint64_t n, in.u64());
  const TypeInfo& info = kTypeInfos[entry.gguf_type];
  if (n > in.remaining() / info.n_bytes)
    return corrupt("byte {}: {} elements of type {}, but only {} bytes follow", at, n, info.name,
                   in.remaining());
  if (n > kMaxElements - n_elements)
    return unsupported(
        "byte {}: {} elements, with those before it more than the {} that nibble reads", at, n,
        kMaxElements);
  n_elements += n;
  return read_elements(in, type, n);
}

Result<MetadataValue> read_value(ByteCursor& in, Metadata::Entry& entry, uint64_t& n_elements) {
  if (entry.gguf_type != static_cast<uint32_t>(ValueType::kArray))
    return read_scalar(in, static_cast<ValueType>(entry.gguf_type));
  NIBBLE_TRY(MetadataArray array, read_array(in, entry, n_elements));
  return array;
}

}  // namespace

Result<void> read_key(ByteCursor& in, Metadata& metadata, uint64_t& n_elements) {
  const uint64_t at = in.offset();
  NIBBLE_TRY(const std::string_view key, in.string(kMaxKeyLength));
  if (key.empty()) return corrupt("byte {}: a key without a name", at);
  Metadata::Entry entry{std::string(key), {}, 0};
  NIBBLE_TRY(const ValueType type, read_value_type(in, key));
  entry.gguf_type = static_cast<uint32_t>(type);
  auto value = read_value(in, entry, n_elements);
  if (!value) return fail(value.error().kind, "key {}: {}", in_quotes(key), value.error().message);
  entry.value = std::move(*value);
  if (!metadata.add(std::move(entry)))
    return corrupt("key {} (byte {}) stands there twice", in_quotes(key), at);
  return {};
}

}  // namespace nibble::gguf
