#include "core/base/json.h"

namespace nibble {
std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}
}  // namespace nibble
