#include "core/text/utf8_stream.h"

#include <doctest/doctest.h>

using nibble::Utf8Stream;

TEST_CASE("a code point cut between tokens comes out whole") {
  Utf8Stream stream;
  CHECK(stream.push("a\xE2") == "a");
  CHECK(stream.push("\x82") == "");
  CHECK(stream.push("\xAC!") == "\u20AC!");
  CHECK(stream.finish() == "");
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD, one for each maximal subpart") {
  Utf8Stream stream;
  CHECK(stream.push("\xFF\xE2\x82x") == "\uFFFD\uFFFDx");
  CHECK(stream.push("\xF0\x9F") == "");
  CHECK(stream.finish() == "\uFFFD");
}
