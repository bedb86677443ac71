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

TEST_CASE("numbers are right or refused") {
  check({
      {"{{ 9007199254740993 == 9007199254740992.0 }} {{ 1180591620717411303425 == "
       "1180591620717411303424.0 }} {{ 9007199254740993 > 9007199254740992.0 }}",
       "False False True"},
      {"{{ 9007199254740993 / 3 }} {{ 123456789012345678901234567890 / 7 }} {{ -5 / 3 }} {{ 0 / 5 "
       "}} {{ 18014398509481985 / 2 }}",
       "3002399751580331.0 1.763668414462081e+28 -1.6666666666666667 0.0 9007199254740992.0"},
      {"{{ -170141183460469231731687303715884105727 % 170141183460469231731687303715884105726 }} "
       "{{ -7 % 3 }} {{ 7 % -3 }}",
       "170141183460469231731687303715884105725 2 -2"},
      {"{{ 12345678901234567890|round(2, 'ceil') }} {{ 25|round(-1) }} {{ 35|round(-1) }}",
       "1.2345678901234567e+19 20 40"},
      {"{{ range(10)[::3] }} {{ range(3)[::100].step }} {{ range(10)[::-2] }} {{ range(2, 20, "
       "3)[1:4] }}",
       "range(0, 10, 3) 100 range(9, -1, -2) range(5, 14, 3)"},
      {"{{ ('inf'|float)|int }}", nullptr},
      {"{{ 'inf'|int }} {{ 'nan'|int(3) }}", "0 3"},
  });
}

TEST_CASE("str.format and %") {
  check({
      {"{{ '{:z.1f} {:z} {:.3} {:.3} {:.0}'.format(-0.04, -0.0, 2.0, 1234.5, 2.0) }}",
       "0.0 0.0 2.0 1.23e+03 2e+00"},
      {"{{ '{:,} {:_} {:010,} {:.2f} {:+,}'.format(1234567.5, 0.5, 2.5, 1e3, 1e6) }}",
       "1,234,567.5 0.5 0,000,002.5 1000.00 +1,000,000.0"},
      {"{{ '{:_x} {:012_x} {:#_b} {:09,d} {:<09,d} {:0=9,d}'.format(1234567, 1234567, 37, -1234, "
       "-1234, -1234) }}",
       "12_d687 00_0012_d687 0b10_0101 -0,001,234 -1,234000 -0,001,234"},
      {"{{ '{:=+#010b} {:<05} {:05}'.format(1, 'a', 'b') }}", "+0b0000001 a0000 b0000"},
      {"{{ '{0.real} {}'.format(1, 2) }}", "1 1"},
      {"{{ '{} {1}'.format(1, 2) }}", nullptr},
      {"{{ '{0} {}'.format(1, 2) }}", nullptr},
      {"{{ '{:,x}'.format(1) }}", nullptr},
      {"{{ '{:.2d}'.format(1) }}", nullptr},
      {"{{ '{:z}'.format(1) }}", nullptr},
      {"{{ '{:+c}'.format(65) }}", nullptr},
      {"{{ '{:c}'.format(-1) }}", nullptr},
      {"{{ '{:,_}'.format(1) }}", nullptr},
      {"{{ '%5%' % [1] }}", nullptr},
  });
}

TEST_CASE("letters that become several, and words") {
  check({
      {"{{ 'ΑΣ'.capitalize() }} {{ 'ΑΣ ΒΣ.'.title() }} {{ 'ασς ΑΣ'.swapcase() }} {{ 'ΑΣ'|title }} "
       "{{ 'ΑΣ'.lower() }}",
       "Ας Ας Βς. ΑΣΣ ας Ασ ας"},
      {"{{ 'ᾳ ᾀ ﬓ ὖ'.upper() }} {{ 'ᾳ ᾀ ﬓ ὖ'.title() }} {{ 'ᾳ ᾀ ﬓ ὖ ẞ ς'.casefold() }}",
       "ΑΙ ἈΙ ՄՆ Υ̓͂ ᾼ ᾈ Մն Υ̓͂ αι ἀι մն ὖ ss σ"},
      {"{{ 'ⅷ'.islower() }} {{ 'Ⅷ'.isupper() }} {{ 'ʰ'.islower() }} {{ 'aʰ'.istitle() }} {{ "
       "'①'.isdigit() }}",
       "True True True False True"},
  });
}

TEST_CASE("batch and slice of odd numbers") {
  check({
      {"{{ l|batch(0)|list }} {{ l|batch(-2)|list }} {{ []|batch(0)|list }} {{ l|batch(2, "
       "'x')|list }} {{ l|batch(3, 'x')|list }}",
       "[[], [3, 1, 2]] [[3, 1, 2]] [] [[3, 1], [2, 'x']] [[3, 1, 2]]"},
      {"{{ l|slice(-1)|list }} {{ l|slice(2, 'x')|list }}", "[] [[3, 1], [2, 'x']]"},
      {"{{ l|slice(0)|list }}", nullptr},
  });
}

TEST_CASE("join of a safe text escapes, and tojson knows DEL") {
  check({
      {"{{ ('<b>'|safe).join(['<', 5, '>'|safe]) }} {{ 'x'.join(['<'|safe]) }}", "&lt;<b>5<b>> <"},
      {R"({{ '\x7f'|tojson(ensure_ascii=true) }})", R"("\u007f")"},
      {"{{ {2: 'b', 1.5: 'a', true: 'c'}|tojson(sort_keys=true) }}",
       R"({"true": "c", "1.5": "a", "2": "b"})"},
      {"{{ {2: 'b', 'a': 1}|tojson(sort_keys=true) }}", nullptr},
  });
}

TEST_CASE("wordwrap") {
  check({
      {"{{ 'Look, goof-ball -- use the -b option! well--known a-b-c ab-cd-ef'|wordwrap(6, "
       "wrapstring='|') }}",
       "Look,|goof-|ball|-- use|the -b|option|! well|--|known|a-b-c|ab-cd-|ef"},
      {"{{ 'Look, goof-ball -- use the -b option!'|wordwrap(6, break_on_hyphens=false, "
       "wrapstring='|') }}",
       "Look, |goof-b|all --|use|the -b|option|!"},
      {"{{ 'Look, goof-ballooooooooon'|wordwrap(6, false, '|') }}", "Look,|goof-|ballooooooooon"},
      {R"({{ 'one\n\n  two three'|wordwrap(5) }})", R"(one

  two
three)"},
      {"{{ '----a ----- -a--b c--d'|wordwrap(3, wrapstring='|') }}", "---|-a |---|--|-a|--b|c--|d"},
      {"{{ 'éàü-ßöä 谢谢谢谢谢谢 x1-y2 a1b-c2d'|wordwrap(4, wrapstring='|') }}",
       "éàü-|ßöä |谢谢谢谢|谢谢 x|1-y2|a1b-|c2d"},
      {"{{ ''|wordwrap(0) }}", ""},
      {"{{ 'a'|wordwrap(0) }}", nullptr},
      {"{{ 5|wordwrap }}", nullptr},
  });
}
