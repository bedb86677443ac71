// Typed key-value pairs of a model file, in file order. Strings and arrays borrow from the file's
// memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.h"

namespace nibble {

using MetadataArray = std::variant<std::vector<int64_t>, std::vector<uint64_t>, std::vector<double>,
                                   std::vector<bool>, std::vector<std::string_view>>;
using MetadataValue =
    std::variant<int64_t, uint64_t, double, bool, std::string_view, MetadataArray>;

class Metadata {
 public:
  struct Entry {
    std::string key;
    MetadataValue value;
    uint32_t gguf_type = 0;  // type number as stored, of the elements for an array
  };
  std::span<const Entry> entries() const { return entries_; }
  const MetadataValue* find(std::string_view key) const;  // nullptr when absent
  bool add(Entry entry);                                  // false: the key is there already

  // The value as a type; fails (kCorrupt, naming the key) when it has another type or does not fit
  // it. A signed value that is not negative reads as unsigned and the other way round. Where the
  // key is absent get_ gives nullopt and need_ fails.
  Result<std::optional<uint64_t>> get_u64(std::string_view key) const;
  Result<std::optional<double>> get_f64(std::string_view key) const;
  Result<std::optional<bool>> get_bool(std::string_view key) const;
  Result<std::optional<std::string_view>> get_string(std::string_view key) const;
  Result<double> need_f64(std::string_view key) const;
  Result<std::string_view> need_string(std::string_view key) const;
  // Arrays: nullptr when absent.
  Result<const std::vector<std::string_view>*> get_strings(std::string_view key) const;
  Result<std::optional<std::vector<int64_t>>> get_ints(
      std::string_view key) const;  // integers, or bools as 0 and 1
  Result<std::optional<std::vector<double>>> get_floats(
      std::string_view key) const;            // floats or integers
  bool is_array(std::string_view key) const;  // false when absent

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;  // key to place in entries_
};

}  // namespace nibble
