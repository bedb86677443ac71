#include "formats/metadata.h"

#include <cmath>
#include <limits>

#include "core/base/printable.h"

namespace nibble {
namespace {

// "an array of strings": what a message calls a value's type.
std::string_view type_name(const MetadataValue& value) {
  static constexpr std::string_view kScalars[] = {"an integer", "an unsigned integer", "a float",
                                                  "a bool", "a string"};
  static constexpr std::string_view kArrays[] = {
      "an array of integers", "an array of unsigned integers", "an array of floats",
      "an array of bools", "an array of strings"};
  if (const auto* array = std::get_if<MetadataArray>(&value)) return kArrays[array->index()];
  return kScalars[value.index()];
}

std::unexpected<Error> mismatch(std::string_view key, const MetadataValue& seen,
                                std::string_view expected) {
  return corrupt("key {}: {}, expected {}", in_quotes(key), type_name(seen), expected);
}
std::unexpected<Error> absent(std::string_view key) {
  return corrupt("key {} is missing", in_quotes(key));
}

template <class T>
const T* array_of(const MetadataValue& value) {
  const auto* array = std::get_if<MetadataArray>(&value);
  return array ? std::get_if<T>(array) : nullptr;
}

template <class T>
Result<T> needed(std::string_view key, Result<std::optional<T>> found) {
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return absent(key);
  return **found;
}

}  // namespace

const MetadataValue* Metadata::find(std::string_view key) const {
  const auto at = index_.find(key);
  return at == index_.end() ? nullptr : &entries_[at->second].value;
}

bool Metadata::add(Entry entry) {
  if (!index_.emplace(entry.key, entries_.size()).second) return false;
  entries_.push_back(std::move(entry));
  return true;
}

bool Metadata::is_array(std::string_view key) const {
  const MetadataValue* value = find(key);
  return value && std::holds_alternative<MetadataArray>(*value);
}

Result<std::optional<uint64_t>> Metadata::get_u64(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* u = std::get_if<uint64_t>(value)) return *u;
  const auto* i = std::get_if<int64_t>(value);
  if (!i) return mismatch(key, *value, "an unsigned integer");
  if (*i < 0) return corrupt("key {}: {}, expected no negative number", in_quotes(key), *i);
  return static_cast<uint64_t>(*i);
}

Result<std::optional<double>> Metadata::get_f64(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* d = std::get_if<double>(value)) return *d;
  if (const auto* i = std::get_if<int64_t>(value)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<uint64_t>(value)) return static_cast<double>(*u);
  return mismatch(key, *value, "a number");
}

Result<std::optional<bool>> Metadata::get_bool(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* b = std::get_if<bool>(value)) return *b;
  return mismatch(key, *value, "a bool");
}

Result<std::optional<std::string_view>> Metadata::get_string(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* s = std::get_if<std::string_view>(value)) return *s;
  return mismatch(key, *value, "a string");
}

Result<double> Metadata::need_f64(std::string_view key) const { return needed(key, get_f64(key)); }
Result<std::string_view> Metadata::need_string(std::string_view key) const {
  return needed(key, get_string(key));
}

Result<const std::vector<std::string_view>*> Metadata::get_strings(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return nullptr;
  const auto* strings = array_of<std::vector<std::string_view>>(*value);
  if (!strings) return mismatch(key, *value, "an array of strings");
  return strings;
}

Result<std::optional<std::vector<int64_t>>> Metadata::get_ints(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* i = array_of<std::vector<int64_t>>(*value)) return *i;
  if (const auto* b = array_of<std::vector<bool>>(*value))
    return std::vector<int64_t>(b->begin(), b->end());
  const auto* u = array_of<std::vector<uint64_t>>(*value);
  if (!u) return mismatch(key, *value, "an array of integers");
  for (size_t n = 0; n < u->size(); ++n)
    if ((*u)[n] > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return corrupt("key {}: element {} is {}, expected at most 2^63 - 1", in_quotes(key), n,
                     (*u)[n]);
  return std::vector<int64_t>(u->begin(), u->end());
}

Result<std::optional<std::vector<double>>> Metadata::get_floats(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (!value) return std::nullopt;
  if (const auto* d = array_of<std::vector<double>>(*value)) return *d;
  if (const auto* i = array_of<std::vector<int64_t>>(*value))
    return std::vector<double>(i->begin(), i->end());
  if (const auto* u = array_of<std::vector<uint64_t>>(*value))
    return std::vector<double>(u->begin(), u->end());
  return mismatch(key, *value, "an array of floats");
}

}  // namespace nibble
