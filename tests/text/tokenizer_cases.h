// Recorded cases of a tokenizer held against ours.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/test_data.h"

namespace nibble::tests {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline Json read_json(const std::filesystem::path& path) {
  auto json = parse_json(read_text(path));
  REQUIRE_MESSAGE(json.has_value(), path.string());
  return *json;
}

// One case: every recorded way of encoding, and back. Names of the members as in the kits'
// expected.json.
inline void check_case(const Tokenizer& tokenizer, const Json& wanted) {
  const auto text = wanted["text"].get<std::string>();
  CAPTURE(text);
  const auto check = [&](const char* key, EncodeOptions options) {
    if (!wanted.contains(key) || wanted[key].is_null()) return;
    const auto ids = tokenizer.encode(text, options);
    REQUIRE(ids.has_value());
    CHECK_MESSAGE(*ids == wanted[key].get<std::vector<TokenId>>(), key);
  };
  check("ids", {.add_special = false});
  check("ids_special", {.add_special = true});
  check("ids_with_bos", {.add_special = true});
  check("ids_plain", {.add_special = false, .parse_special = false});
  check("ids_special_as_text", {.add_special = false, .parse_special = false});
  if (!wanted.contains("decoded")) return;
  const auto back = tokenizer.decode(wanted["ids"].get<std::vector<TokenId>>());
  REQUIRE(back.has_value());
  CHECK(*back == wanted["decoded"].get<std::string>());
}

}  // namespace nibble::tests
