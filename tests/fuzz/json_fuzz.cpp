// The JSON reader: what it accepts, it writes in a form that it reads as the same value.
#include <cstdlib>

#include "core/base/json.h"

using namespace nibble;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = parse_json({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const std::string text = dump_json(*value);
  const auto again = parse_json(text);
  if (!again || dump_json(*again) != text) std::abort();
  return 0;
}
