// Members of a JSON object by type. A member that is absent or null takes the default; one of
// another type fails (kCorrupt), naming the object and the member.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble::text {

class Fields {
 public:
  // object must outlive this. where: how messages call it.
  static Result<Fields> of(const Json& object, std::string_view where);

  const Json* find(std::string_view key) const;  // nullptr when absent or null
  Result<bool> boolean(std::string_view key, bool otherwise) const;
  Result<int64_t> integer(std::string_view key, int64_t otherwise) const;
  Result<std::string> string(std::string_view key, std::string_view otherwise) const;
  Result<std::string> need_string(std::string_view key) const;
  Result<std::string_view> type() const;  // the member "type", which names a component; borrowed
  Result<const Json*> need_array(std::string_view key) const;
  Result<const Json*> need_object(std::string_view key) const;
  std::string_view where() const { return where_; }

 private:
  Fields(const Json& object, std::string_view where) : object_(&object), where_(where) {}
  const Json* object_;
  std::string where_;
};

}  // namespace nibble::text
