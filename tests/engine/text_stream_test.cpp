#include "core/pipeline/text_stream.h"

#include <doctest/doctest.h>

using namespace nibble;

namespace {
// What each piece releases, joined by |, and after the last | what the end releases.
std::string released(std::vector<std::string> stops, std::vector<std::string> pieces) {
  TextStream stream(std::move(stops));
  std::string out;
  for (const std::string& piece : pieces) out += stream.add(piece) + "|";
  return out + stream.finish();
}
}  // namespace

TEST_CASE("a character is released whole") {
  CHECK(released({}, {"a\xC3", "\xA9z"}) == "a|\xC3\xA9z|");
  CHECK(released({}, {"\xF0\x9F", "\x98", "\x80"}) == "||\xF0\x9F\x98\x80|");
}

TEST_CASE("what is no UTF-8 becomes U+FFFD, a cut character at the end too") {
  CHECK(released({}, {"\xFFx"}) == "\xEF\xBF\xBDx|");
  CHECK(released({}, {"x\xE2\x82"}) == "x|\xEF\xBF\xBD");
}

TEST_CASE("a stop string over several pieces is never shown, not even partly") {
  CHECK(released({"<end>"}, {"ab<e", "nd", ">cd", "ef"}) == "ab||||");
  CHECK(released({"<end>"}, {"ab<e", "nd", "!"}) == "ab||<end!|");
  CHECK(released({"<end>"}, {"ab<e", "n"}) == "ab||<en");
}

TEST_CASE("of several stop strings the one that begins first counts") {
  CHECK(released({"cd", "bc"}, {"abcd"}) == "a|");
  CHECK(released({"xyz", "y"}, {"axy"}) == "ax|");
}

TEST_CASE("a stop string that overlaps its own beginning is found") {
  CHECK(released({"aab"}, {"aa", "ab", "c"}) == "|a||");
}
