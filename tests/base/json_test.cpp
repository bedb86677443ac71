#include "core/base/json.h"

#include <doctest/doctest.h>

using namespace nibble;

namespace {
std::string message_of(std::string_view text) {
  const auto parsed = parse_json(text);
  REQUIRE(!parsed);
  CHECK(parsed.error().kind == ErrorKind::kCorrupt);
  return parsed.error().message;
}
std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }
}  // namespace

TEST_CASE("JSON keeps values and the order of keys") {
  const std::string_view text =
      R"({"z":1,"a":[true,false,null,-2,2.5,"\u00e4\n"],"m":{"big":18446744073709551615,"huge":1e30},"e":[],"o":{}})";
  const auto parsed = parse_json(text);
  REQUIRE(parsed);
  CHECK(
      dump_json(*parsed) ==
      R"({"z":1,"a":[true,false,null,-2,2.5,"ä\n"],"m":{"big":18446744073709551615,"huge":1e+30},"e":[],"o":{}})");
  CHECK((*parsed)["m"]["big"].get<uint64_t>() == 18446744073709551615u);
  CHECK(parse_json(" 7 ")->get<int>() == 7);
}

TEST_CASE("JSON faults name line and column") {
  CHECK(message_of("").starts_with("JSON line 1, column "));
  CHECK(message_of("{\n  \"a\": 1,\n  \"b\": x}").starts_with("JSON line 3, column 8: "));
  CHECK(message_of("[1, 2").find("line 1, column 5: ") != std::string::npos);
  CHECK(message_of("{\"a\": 1}\ntrailing").starts_with("JSON line 2, column "));
  CHECK(message_of("\"\xff\"").find("UTF-8") != std::string::npos);
  CHECK(message_of("\"\\ud800\"").find("surrogate") != std::string::npos);
  CHECK(message_of("[NaN]").starts_with("JSON line 1, column "));
  CHECK(message_of("[1e999]").starts_with("JSON line 1, column "));
  CHECK(message_of("\"a\nb\"").find('\n') == std::string::npos);
}

TEST_CASE("a key that stands twice in one JSON object is refused where it stands") {
  CHECK(message_of("{\"a\": 1,\n \"b\": {\"a\": 2}, \"a\": 3}") ==
        "JSON line 2, column 19: key 'a' stands twice in one object");
  CHECK(parse_json(R"([{"a":1},{"a":{"a":2}}])"));
}

TEST_CASE("JSON nests as deep as the budget and no deeper") {
  CHECK(parse_json(nested(kMaxJsonDepth)));
  CHECK(message_of(nested(kMaxJsonDepth + 1)) ==
        fmt::format("JSON line 1, column {}: nested deeper than {}", kMaxJsonDepth + 1,
                    kMaxJsonDepth));
  CHECK(message_of(std::string(10'000'000, '[')).find("nested deeper") != std::string::npos);
}

TEST_CASE("a JSON object with many keys is read in time that grows with their number") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += fmt::format("\"k{}\":{},", i, i);
  text += "\"end\":0}";
  const auto parsed = parse_json(text);
  REQUIRE(parsed);
  CHECK(parsed->size() == 200'001);
}

TEST_CASE("invalid UTF-8 is dumped as U+FFFD") {
  CHECK(dump_json(Json("a\xff")) == "\"a\xEF\xBF\xBD\"");
}
