#include "formats/gguf_encode.h"

#include "core/base/assert.h"

namespace nibble::gguf {
namespace {

// A number as the stored type has it.
template <class Wide>
void put_number(Encoder& out, ValueType type, Wide value) {
  switch (type) {
    case ValueType::kU8:
      out.number(static_cast<uint8_t>(value));
      break;
    case ValueType::kI8:
      out.number(static_cast<int8_t>(value));
      break;
    case ValueType::kU16:
      out.number(static_cast<uint16_t>(value));
      break;
    case ValueType::kI16:
      out.number(static_cast<int16_t>(value));
      break;
    case ValueType::kU32:
      out.number(static_cast<uint32_t>(value));
      break;
    case ValueType::kI32:
      out.number(static_cast<int32_t>(value));
      break;
    case ValueType::kU64:
      out.number(static_cast<uint64_t>(value));
      break;
    case ValueType::kI64:
      out.number(static_cast<int64_t>(value));
      break;
    case ValueType::kF32:
      out.number(static_cast<float>(value));
      break;
    case ValueType::kF64:
      out.number(static_cast<double>(value));
      break;
    case ValueType::kBool:
    case ValueType::kString:
    case ValueType::kArray:
      NIBBLE_ASSERT(false);
  }
}

template <class T>
void put_value(Encoder& out, ValueType type, const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    out.number(static_cast<uint8_t>(value));
  else if constexpr (std::is_same_v<T, std::string_view>)
    out.text(value);
  else
    put_number(out, type, value);
}

void put_array(Encoder& out, ValueType type, const MetadataArray& array) {
  out.number(static_cast<uint32_t>(type));
  std::visit(
      [&]<class T>(const std::vector<T>& values) {
        out.number(uint64_t{values.size()});
        for (const T value : values) put_value(out, type, value);
      },
      array);
}

}  // namespace

Encoder& Encoder::entry(const Metadata::Entry& entry) {
  const auto type = static_cast<ValueType>(entry.gguf_type);
  if (const auto* array = std::get_if<MetadataArray>(&entry.value)) {
    key(entry.key, ValueType::kArray);
    put_array(*this, type, *array);
    return *this;
  }
  key(entry.key, type);
  std::visit(
      [&]<class T>(const T& value) {
        if constexpr (!std::is_same_v<T, MetadataArray>) put_value(*this, type, value);
      },
      entry.value);
  return *this;
}

}  // namespace nibble::gguf
