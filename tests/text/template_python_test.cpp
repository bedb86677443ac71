// Whole templates and what jinja2 3.1.6 with Python 3.11 makes of them, in the environment of
// transformers; null: it refuses.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "core/text/template/jinja.h"

using namespace nibble;

namespace {

struct Row {
  const char* source;
  const char* expected;
};

void check(std::initializer_list<Row> rows) {
  const Json variables = {{"s", "outer"}, {"l", {3, 1, 2}}, {"d", {{"b", 1}, {"A", 2}, {"c", 0}}}};
  for (const Row& row : rows) {
    INFO(row.source);
    const auto parsed = jinja::Template::parse(row.source);
    const auto out = parsed ? parsed->render(variables, 0) : std::unexpected(parsed.error());
    CHECK(out.has_value() == (row.expected != nullptr));
    if (out && row.expected) CHECK(*out == row.expected);
  }
}

}  // namespace

TEST_CASE("a name that a scope sets later is undefined before, in loops and macros of it too") {
  check({
      {"{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{{ s }}", "[]5"},
      {"{{ s }}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{{ s }}", "outer[outer]5"},
      {"{% if l %}{% set s = 5 %}{% endif %}{% for i in [1] %}[{{ s }}]{% endfor %}", "[5]"},
      {"{% for i in [1] %}[{{ s }}]{% endfor %}{% if l %}{% set s = 5 %}{% endif %}{{ s }}",
       "[outer]5"},
      {"{% macro m() %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{% endmacro %}{{ m() "
       "}}",
       "[]"},
      {"{% set x %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{% endset %}{{ x }}",
       "[]"},
      {"{% generation %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{% endgeneration %}",
       "[]"},
      {"{% filter upper %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{% endfilter %}",
       "[]"},
      {"{% for i in [1] %}{% for j in [1] %}[{{ s }}]{% endfor %}{% set s = 3 %}{% endfor %}",
       "[]"},
      {"{% set s = 1 %}{% for i in [1] %}{% for j in [1] %}[{{ s }}]{% endfor %}{% set s = 3 %}{% "
       "endfor %}",
       "[1]"},
      {"{% for i in [] %}{% else %}{% for j in [1] %}[{{ s }}]{% endfor %}{% set s = 1 %}{{ s }}{% "
       "endfor %}",
       "[]1"},
      {"{% with %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 1 %}{% endwith %}{{ s }}",
       "[outer]outer"},
      {"{% for i in l if s %}{% endfor %}{% for i in [1] %}[{{ s }}]{% endfor %}{% set s = 5 %}{{ "
       "s }}",
       "[]5"},
      {"{% if true %}{% macro a() %}[{{ s }}]{% endmacro %}{% endif %}{{ a() }}{% set s = 4 %}{{ "
       "a() }}",
       "[][4]"},
  });
}

TEST_CASE("filters of a block see the names of the block") {
  check({
      {"{% filter replace('a', x) %}{% set x = 'b' %}a{% endfilter %}", "b"},
      {"{% set y | replace('a', x) %}{% set x = 'b' %}a{% endset %}{{ y }}", "b"},
  });
}

TEST_CASE("break and continue leave blocks that are no macros") {
  check({
      {"{% for i in l %}{% set y %}a{% if i == 1 %}{% break %}{% endif %}{% endset %}{{ i }}{{ y "
       "}}{% endfor %}",
       "3a"},
      {"{% for i in l %}{% filter upper %}a{% if i == 1 %}{% continue %}{% endif %}{% endfilter "
       "%}{{ i }}{% endfor %}",
       "A3A2"},
      {"{% for i in l %}{% with a = 1 %}{% if i == 1 %}{% break %}{% endif %}{% endwith %}{{ i "
       "}}{% endfor %}",
       "3"},
      {"{% for i in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}", nullptr},
      {"{% for i in l %}{% call m() %}{% break %}{% endcall %}{% endfor %}", nullptr},
  });
}

TEST_CASE("parameters of macros") {
  check({
      {"{% set b = 5 %}{% macro m(a=b, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m() }}|{{ m(b=3) }}",
       "-2|3-3"},
      {"{% macro f(s=s) %}[{{ s }}]{% endmacro %}{{ f() }}", "[]"},
      {"{% macro m(kwargs, varargs) %}{{ kwargs }}{{ varargs }}{% endmacro %}{{ m(1, 2) }}", "12"},
      {"{% macro m(caller=3) %}{{ caller }}{% endmacro %}{{ m() }}{% call m() %}x{% endcall %}",
       "3<Macro anonymous>"},
      {"{% macro m(caller) %}{{ caller }}{% endmacro %}{{ m(1) }}", nullptr},
      {"{% macro m() %}{{ caller.name }}{% endmacro %}{% call m() %}x{% endcall %}", "None"},
      {"{% macro m(a, b) %}{% endmacro %}{{ m.arguments }}", "('a', 'b')"},
      {"{% macro m() %}{% generation %}{{ kwargs }}{{ varargs }}{% endgeneration %}{{ kwargs }}{% "
       "endmacro %}{{ m(1, a=2) }}",
       "{}(){'a': 2}"},
      {"{% macro m() %}{% generation %}{{ caller() }}{% endgeneration %}{% endmacro %}{% call m() "
       "%}x{% endcall %}",
       nullptr},
  });
}
