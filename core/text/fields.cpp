#include "core/text/fields.h"

#include "core/base/json.h"

namespace nibble::text {

Result<Fields> Fields::of(const Json& object, std::string_view where) {
  if (!object.is_object()) return corrupt("{}: expected an object", where);
  return Fields(object, where);
}

const Json* Fields::find(std::string_view key) const {
  const auto member = object_->find(key);
  return member == object_->end() || member->is_null() ? nullptr : &*member;
}

Result<bool> Fields::boolean(std::string_view key, bool otherwise) const {
  const Json* member = find(key);
  if (!member) return otherwise;
  if (!member->is_boolean()) return corrupt("{}: '{}' is not true or false", where_, key);
  return member->get<bool>();
}

Result<int64_t> Fields::integer(std::string_view key, int64_t otherwise) const {
  const Json* member = find(key);
  if (!member) return otherwise;
  if (!member->is_number_integer()) return corrupt("{}: '{}' is not an integer", where_, key);
  return member->get<int64_t>();
}

Result<std::string> Fields::string(std::string_view key, std::string_view otherwise) const {
  const Json* member = find(key);
  if (!member) return std::string(otherwise);
  if (!member->is_string()) return corrupt("{}: '{}' is not a string", where_, key);
  return member->get<std::string>();
}

Result<std::string> Fields::need_string(std::string_view key) const {
  if (!find(key)) return corrupt("{}: '{}' is missing", where_, key);
  return string(key, "");
}

Result<std::string_view> Fields::type() const {
  const Json* member = find("type");
  if (!member || !member->is_string()) return corrupt("{}: 'type' is not a string", where_);
  return member->get_ref<const std::string&>();
}

Result<const Json*> Fields::need_array(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_array()) return corrupt("{}: '{}' is not an array", where_, key);
  return member;
}

Result<const Json*> Fields::need_object(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_object()) return corrupt("{}: '{}' is not an object", where_, key);
  return member;
}

}  // namespace nibble::text
