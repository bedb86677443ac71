// What a template may cost: a budget on steps, on nesting and on sizes, and no built-in that takes
// longer than the steps that it is charged.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "core/text/template/jinja.h"

using namespace nibble;

namespace {

Result<std::string> render(std::string_view source, jinja::Budget budget = {},
                           const Json& variables = Json::object()) {
  NIBBLE_TRY(const auto parsed, jinja::Template::parse(source, budget));
  return parsed.render(variables, 0);
}

std::string outcome(std::string_view source, jinja::Budget budget = {}) {
  const auto out = render(source, budget);
  return out ? *out : out.error().message;
}

// The least budget of steps with which a template renders.
int64_t steps_of(std::string_view source) {
  int64_t low = 0, high = 1 << 30;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (render(source, {.steps = middle}) ? high : low) = middle;
  }
  return high;
}

// n characters, then the expression over the text `s`, which is periodic, and the needle `w`, which
// nearly occurs at every place.
std::string over_texts(int n, std::string_view expression) {
  return fmt::format("{{% set s = 'a' * {} %}}{{% set w = s[:{}] ~ 'b' ~ s[:{}] %}}{{{{ {} }}}}", n,
                     n / 4, n / 4, expression);
}

}  // namespace

TEST_CASE("searches for a long text take linear time") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"w in s", "False"},
      {"s is in w", "False"},
      {"s.find(w)", "-1"},
      {"s.rfind(w)", "-1"},
      {"s.count(w)", "0"},
      {"s.split(w) | length", "1"},
      {"s.rsplit(w) | length", "1"},
      {"s.partition(w)[1]", ""},
      {"s.rpartition(w)[1]", ""},
      {"s.replace(w, 'x') == s", "True"},
      {"(s | replace(w, 'x')) == s", "True"},
      {"s.rindex(w)", "template line 1: substring not found"},
      {"s.index(w)", "template line 1: substring not found"},
  };
  for (const auto& [expression, expected] : rows) {
    INFO(expression);
    CHECK(outcome(over_texts(2'000'000, expression)) == expected);
  }
}

TEST_CASE("searches find what they look for from both ends") {
  CHECK(outcome("{{ 'aaaaa'.rfind('aa') }} {{ 'aaaaa'.find('aa') }} {{ 'aaaaa'.count('aa') }}") ==
        "3 0 2");
  CHECK(outcome("{{ 'aaaaa'.rsplit('aa') }} {{ 'aaaaa'.split('aa') }}") ==
        "['a', '', ''] ['', '', 'a']");
  CHECK(outcome("{{ 'a,b,c'.rsplit(',', 1) }} {{ 'a,b,c'.split(',', 1) }}") ==
        "['a,b', 'c'] ['a', 'b,c']");
  CHECK(outcome("{{ 'ä-ö-ü'.rpartition('-') }} {{ 'ä-ö-ü'.rindex('-') }}") ==
        "('ä-ö', '-', 'ü') 3");
  CHECK(outcome("{{ 'abc'.find('') }} {{ 'abc'.rfind('') }} {{ '' in '' }} {{ ''.rfind('a') }}") ==
        "0 3 True -1");
}

TEST_CASE("splits at white space leave the rest as it stands at its far end") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"'  1  2   3  '.split(none, 1)", "['1', '2   3  ']"},
      {"'  1  2   3  '.split(none, 0)", "['1  2   3  ']"},
      {"'  1  2   3  '.split(none, 3)", "['1', '2', '3']"},
      {"'  1  2   3  '.split(maxsplit=1)", "['1', '2   3  ']"},
      {"' a b '.rsplit(none, 1)", "[' a', 'b']"},
      {"' a b c'.rsplit(none, 2)", "[' a', 'b', 'c']"},
      {"' a b c'.rsplit(none, 3)", "['a', 'b', 'c']"},
      {"' a b '.rsplit(none, 0)", "[' a b']"},
      {"'  '.rsplit(none, 0)", "[]"},
  };
  for (const auto& [expression, expected] : rows)
    CHECK(outcome(fmt::format("{{{{ {} }}}}", expression)) == expected);
}

TEST_CASE("a built-in is charged for the length of each text and list that it reads") {
  // Each expression over s of n characters, l of n items, m of n entries.
  const std::string_view rows[] = {
      "s.find('b')",
      "s.count('b')",
      "s.split('b')",
      "s.split()",
      "s.splitlines()",
      "s.partition('b')",
      "'' .join([s])",
      "'b'.join(l)",
      "s.upper()",
      "s.title()",
      "s.casefold()",
      "s.strip('b')",
      "s.isalpha()",
      "s.isascii()",
      "s.isupper()",
      "s.replace('b', '')",
      "'b'.replace(s, '')",
      "s in 'b'",
      "'b' in s",
      "s == s ~ 'b'",
      "s[::-1]",
      "s is lower",
      "s is filter",
      "s | int",
      "s | float",
      "s | title",
      "s | trim",
      "s | wordcount",
      "s | truncate(10, false, s[:5])",
      "s | truncate(s | length - 10)",
      "s | escape",
      "s | striptags",
      "s | urlencode",
      "s | tojson",
      "s | pprint",
      "s | indent",
      "'%.0r' % (s,)",
      "'%.0s' % s",
      "s % ()",
      "'{0!r:.0}'.format(s)",
      "s.format()",
      "'{x}'.format(**m)",
      "'b'.startswith(t)",
      "l | sort",
      "l | unique | list",
      "l | map('string') | list",
      "['b'] | map('map', *l) | list",
      "l | groupby('b', default=1)",
      "dict(m)",
      "namespace(m)",
      "namespace(m).x",
      "{s: 1}",
      "m[s]",
      "[][s]",
      "['b'] | map(attribute='x.' ~ s, default='') | list",
  };
  const std::string_view given =
      "{{% set s = 'a' * {0} %}}{{% set l = ['b'] * {0} %}}{{% set t = ('bb',) * {0} %}}"
      "{{% set ns = namespace(p=[]) %}}{{% for i in range({0}) %}}"
      "{{% set ns.p = ns.p + [('k' ~ i, 1)] if i < 200 else ns.p %}}{{% endfor %}}"
      "{{% set m = dict(ns.p + [('x', 1)]) %}}{{% for i in range({1}) %}}{{% set x = {2} %}}"
      "{{% endfor %}}";
  constexpr int kLength = 3200, kUnit = 16;
  const auto source = [&](int n, std::string_view what) {
    return fmt::format(fmt::runtime(given), kLength, n, what);
  };
  const int64_t one = steps_of(source(2, "1")) - steps_of(source(1, "1"));
  for (const auto& expression : rows) {
    INFO(expression);
    REQUIRE_MESSAGE(render(source(1, expression)), outcome(source(1, expression)));
    const int64_t n = steps_of(source(2, expression)) - steps_of(source(1, expression)) - one;
    const bool entries = expression.contains('m') && !expression.contains("map");
    CHECK(n >= (entries ? 200 / 4 : kLength / kUnit));
  }
}

TEST_CASE("keys of a dict that a hash would put together cost no more than others") {
  const auto steps = [](std::string_view step) {
    return fmt::format("{{{{ range(0, {} * 90000, {}) | unique | list | length }}}}", step, step);
  };
  CHECK(outcome(steps("1")) == "90000");
  CHECK(outcome(steps("107897")) == "90000");  // a prime that a hash table has as its size
  CHECK(outcome("{{ {1: 'a', true: 'b', 1.0: 'c', '1': 'd', (1, 2): 'e'} }}") ==
        "{1: 'c', '1': 'd', (1, 2): 'e'}");
  CHECK(outcome("{{ {(1, [2]): 1} }}") == "template line 1: unhashable type: 'list'");
}

TEST_CASE("steps: a template just under its budget renders, one just over it does not") {
  const std::string loop = "{% for i in range(1000) %}{{ i }}{% endfor %}";
  const int64_t needed = steps_of(loop);
  CHECK(render(loop, {.steps = needed}));
  CHECK(outcome(loop, {.steps = needed - 1}) ==
        fmt::format("template line 1: the template takes more than {} steps", needed - 1));
}

TEST_CASE("the default budget ends a template that would run for ever") {
  CHECK(outcome("{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}")
            .contains("the template takes more than"));
}

TEST_CASE("depth: recursion just under its budget renders, one level more does not") {
  const auto macro = [](int n) {
    return fmt::format(
        "{{% macro f(n) %}}{{{{ n }}}}{{% if n > 0 %}}{{{{ f(n - 1) }}}}{{% endif %}}"
        "{{% endmacro %}}{{{{ f({}) }}}}",
        n);
  };
  int deepest = 0;
  while (deepest < 200 && render(macro(deepest + 1), {.depth = 50})) ++deepest;
  CHECK(deepest > 10);
  CHECK(outcome(macro(deepest + 1), {.depth = 50}) ==
        "template line 1: the template calls or nests deeper than 50 levels");
}

TEST_CASE("nesting of the source: just under the budget parses, one more does not") {
  const auto nested = [](int n) {
    return "{{ " + std::string(size_t(n), '(') + "1" + std::string(size_t(n), ')') + " }}";
  };
  int deepest = 0;
  while (deepest < 1000 && render(nested(deepest + 1), {.depth = 50})) ++deepest;
  CHECK(deepest > 10);
  CHECK(outcome(nested(deepest + 1), {.depth = 50}).contains("template line 1, column"));
}

TEST_CASE("sizes: a text of the budget renders, one byte more does not") {
  CHECK(outcome("{{ ('a' * 100) | length }}", {.output_bytes = 100}) == "100");
  CHECK(outcome("{{ ('a' * 101) | length }}", {.output_bytes = 100}) ==
        "template line 1: the template makes a value larger than 100 bytes");
  CHECK(render("{{ 'a' * 60 }}{{ 'a' * 40 }}", {.output_bytes = 100}));
  CHECK(outcome("{{ 'a' * 60 }}{{ 'a' * 41 }}", {.output_bytes = 100}) ==
        "template line 1: the template makes a value larger than 100 bytes");
}
