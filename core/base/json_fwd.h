// The name of JSON values, for headers that only pass them on: the library behind json.h costs each
// file that includes it seconds of compile time.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nibble {

using Json = nlohmann::ordered_json;

}  // namespace nibble
