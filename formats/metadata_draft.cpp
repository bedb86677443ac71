#include "formats/metadata_draft.h"

#include <algorithm>

#include "formats/gguf_header.h"

namespace nibble {
namespace {

constexpr uint32_t number(gguf::ValueType type) { return static_cast<uint32_t>(type); }

}  // namespace

MetadataDraft::MetadataDraft(const Metadata& source)
    : entries_(source.entries().begin(), source.entries().end()) {}

std::string_view MetadataDraft::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

void MetadataDraft::set(Metadata::Entry entry) {
  const auto at = std::ranges::find(entries_, entry.key, &Metadata::Entry::key);
  if (at == entries_.end())
    entries_.push_back(std::move(entry));
  else
    *at = std::move(entry);
}

void MetadataDraft::set_u32(std::string_view key, uint32_t value) {
  set({std::string(key), uint64_t{value}, number(gguf::ValueType::kU32)});
}
void MetadataDraft::set_i32(std::string_view key, int32_t value) {
  set({std::string(key), int64_t{value}, number(gguf::ValueType::kI32)});
}
void MetadataDraft::set_f32(std::string_view key, float value) {
  set({std::string(key), double{value}, number(gguf::ValueType::kF32)});
}
void MetadataDraft::set_bool(std::string_view key, bool value) {
  set({std::string(key), value, number(gguf::ValueType::kBool)});
}
void MetadataDraft::set_text(std::string_view key, std::string value) {
  set({std::string(key), keep(std::move(value)), number(gguf::ValueType::kString)});
}
void MetadataDraft::set_texts(std::string_view key, std::span<const std::string> values) {
  std::vector<std::string_view> kept;
  for (const auto& value : values) kept.push_back(keep(value));
  set({std::string(key), MetadataArray(std::move(kept)), number(gguf::ValueType::kString)});
}
void MetadataDraft::set_i32s(std::string_view key, std::span<const int32_t> values) {
  set({std::string(key), MetadataArray(std::vector<int64_t>(values.begin(), values.end())),
       number(gguf::ValueType::kI32)});
}
void MetadataDraft::set_f32s(std::string_view key, std::span<const float> values) {
  set({std::string(key), MetadataArray(std::vector<double>(values.begin(), values.end())),
       number(gguf::ValueType::kF32)});
}

void MetadataDraft::remove(std::string_view key) {
  std::erase_if(entries_, [&](const Metadata::Entry& e) { return e.key == key; });
}
void MetadataDraft::remove_prefix(std::string_view prefix) {
  std::erase_if(entries_, [&](const Metadata::Entry& e) { return e.key.starts_with(prefix); });
}

const MetadataValue* MetadataDraft::find(std::string_view key) const {
  const auto at = std::ranges::find(entries_, key, &Metadata::Entry::key);
  return at == entries_.end() ? nullptr : &at->value;
}

}  // namespace nibble
