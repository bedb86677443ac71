// Metadata to be written: what a source file has, changed here and there. Owns the texts that were
// set, borrows those of its source.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/metadata.h"

namespace nibble {

class MetadataDraft {
 public:
  MetadataDraft() = default;
  explicit MetadataDraft(const Metadata& source);  // which must outlive this

  // Replaces the value where the key stands, or adds the key at the end. uN, iN, f32: as it is
  // stored.
  void set_u32(std::string_view key, uint32_t value);
  void set_i32(std::string_view key, int32_t value);
  void set_f32(std::string_view key, float value);
  void set_bool(std::string_view key, bool value);
  void set_text(std::string_view key, std::string value);
  void set_texts(std::string_view key, std::span<const std::string> values);
  void set_i32s(std::string_view key, std::span<const int32_t> values);
  void set_f32s(std::string_view key, std::span<const float> values);
  void set(Metadata::Entry entry);
  void remove(std::string_view key);
  void remove_prefix(std::string_view prefix);

  const MetadataValue* find(std::string_view key) const;  // nullptr when absent
  std::span<const Metadata::Entry> entries() const { return entries_; }

 private:
  std::string_view keep(std::string text);
  std::vector<Metadata::Entry> entries_;
  std::deque<std::string> texts_;
};

}  // namespace nibble
