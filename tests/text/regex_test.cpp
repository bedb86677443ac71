// What Oniguruma and PCRE2 read differently, rewritten or refused. Matches as Oniguruma 6.9 gives
// them.
#include "core/text/regex.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/text/regex_translate.h"

using namespace nibble;
using namespace nibble::text;

namespace {
std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  REQUIRE_MESSAGE(regex.has_value(), (regex ? "" : regex.error().message));
  RegexScratch scratch;
  std::vector<std::string> out;
  Regex::Match m{};
  for (size_t from = 0; regex->find(text, from, scratch, m) == Regex::Outcome::kMatch;
       from = m.end) {
    out.emplace_back(text.substr(m.begin, m.end - m.begin));
    if (m.begin == m.end) break;
  }
  return out;
}
using List = std::vector<std::string>;
}  // namespace

TEST_CASE("class intersection, nested and negated classes") {
  CHECK(matches("[\\p{L}&&[^a-m]]+", "abnz\u4e2d") == List{"nz\u4e2d"});
  CHECK(matches("[^\\p{L}&&[a-m]]+", "ab-nz") == List{"-nz"});
  CHECK(matches("[a[x-z]]+", "axbz[") == List{"ax", "z"});
  CHECK(matches("[[^a]b]+", "abc") == List{"bc"});
  CHECK(matches("[a-c&&b-d&&[c-e]]", "abcde") == List{"c"});
  CHECK(matches("[\\p{L}&&[^\\p{Han}]]+", "ab\u4e2d\u6587") == List{"ab"});
}

TEST_CASE("escapes that mean something else to PCRE2") {
  CHECK(matches("\\h+", "xffg 1 \t") == List{"ff", "1"});  // hexadecimal digits, no blanks
  CHECK(matches("\\s+", "a \u180e\u3000\u0085b") == List{" ", "\u3000\u0085"});
  CHECK(matches("\\v", "\x0b\n") == List{"\x0b"});
  CHECK(matches("\\w+", "a\u0301_1-\u00b2") == List{"a\u0301_1", "\u00b2"});
  CHECK(matches("[\\w]+", "a\u00b2") == List{"a"});
  CHECK(matches("\\u4e2d", "\u4e2d") == List{"\u4e2d"});
  CHECK(matches("\\p{Han}", "\u3005\u3001\u4e2d") ==
        List{"\u3005", "\u4e2d"});  // Script, not its extensions
  CHECK(matches("\\p{^L}+", "a1b") == List{"1"});
  CHECK(matches("(?i:'s)", "'S '\u017f") == List{"'S", "'\u017f"});
  CHECK(matches("\\bx\\b", "x ax x\u0301 x") == List{"x", "x"});
}

TEST_CASE("quantifiers as Ruby has them") {
  CHECK(matches("\\d{1,3}+", "12345") == List{"12345"});  // not possessive
  CHECK(matches("a{,2}b", "aaab") == List{"aab"});
  CHECK(matches("\\p{L}++\\d", "ab1") == List{"ab1"});
  CHECK(matches("a+?", "aa") == List{"a", "a"});
  CHECK(matches("x{2}y", "xxy") == List{"xxy"});
  CHECK(matches("x{y", "x{y") == List{"x{y"});
}

TEST_CASE("lines: ^ and $ at each of them, . not across") {
  CHECK(matches("^b", "a\nb") == List{"b"});
  CHECK(matches("a$", "a\nb") == List{"a"});
  CHECK(matches(".+", "a\nb") == List{"a", "b"});
}

TEST_CASE("what cannot be said in PCRE2 is refused") {
  for (const char* pattern : {"(?<name>a)",  "(a)\\1",
                              "\\k<n>",      "\\X",
                              "\\K",         "\\R",
                              "(?~a)",       "(?m:a)",
                              "(?x) a",      "a(?i)b",
                              "a|(?i)b",     "[[:punct:]]",
                              "\\p{Emoji}",  "\\p{InBasicLatin}",
                              "\\xff",       "\\u12",
                              "[]a]",        "[a",
                              "(a",          "a)",
                              "*a",          "a**",
                              "a{2}?",       "\\",
                              "[a-\\d]",     "[z-a]",
                              "\\x{110000}", "\\x{d800}",
                              "\\cA"}) {
    CAPTURE(pattern);
    const auto regex = Regex::compile(pattern);
    REQUIRE(!regex.has_value());
    CHECK(regex.error().kind == ErrorKind::kUnsupported);
  }
  CHECK(!Regex::compile(std::string(100, '(') + std::string(100, ')')).has_value());
  CHECK(!Regex::compile(std::string(100, '[') + "a" + std::string(100, ']')).has_value());
  CHECK(!Regex::compile(std::string(70'000, 'a')).has_value());
}
