// What the template parser refuses: in one line that names line and column (bytes, from 1).
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "core/text/template/jinja.h"

using namespace nibble;

namespace {

std::string fault(std::string_view source) {
  const auto parsed = jinja::Template::parse(source);
  return parsed ? std::string() : parsed.error().message;
}

struct Row {
  const char* source;
  const char* message;
};

const Row kRows[] = {
    {"{{ a", "template line 1, column 1: print statement is not closed"},
    {"a\nb {% if x %}c",
     "template line 2, column 14: Unexpected end of template. Looking for 'elif' or 'else' or "
     "'endif'; the innermost block that needs to be closed is 'if'"},
    {"{% if x %}{% for i in y %}{% endif %}",
     "template line 1, column 30: Encountered unknown tag 'endif'."},
    {"{% block b %}{% endblock %}{% block b %}{% endblock %}",
     "template line 1, column 31: block 'b' defined twice"},
    {"{% endif %}", "template line 1, column 4: Encountered unknown tag 'endif'."},
    {"{% nonsense %}", "template line 1, column 4: Encountered unknown tag 'nonsense'."},
    {"{{ 1 + }}",
     "template line 1, column 8: expected an expression, got 'end of print statement'"},
    {"{{ 'abc }}", "template line 1, column 4: string is not closed"},
    {"{# abc", "template line 1, column 1: Missing end of comment tag"},
    {"{% raw %}abc", "template line 1, column 1: Missing end of raw directive"},
    {"{{ (1, 2 }}", "template line 1, column 10: unexpected '}', expected ')'"},
    {"{{ a) }}", "template line 1, column 5: unexpected ')'"},
    {"{{ a ! b }}", "template line 1, column 6: unexpected character '!'"},
    {"x\n  {{ a | nofilter }}", "template line 2, column 10: No filter named 'nofilter'."},
    {"{{ a is notest }}", "template line 1, column 9: No test named 'notest'."},
    {"{{ a is odd is even }}",
     "template line 1, column 13: You cannot chain multiple tests with is"},
    {"{% set 1 = 2 %}", "template line 1, column 10: can't assign to this"},
    {"{% set a.b.c = 2 %}",
     "template line 1, column 11: expected 'end of statement block', got '.'"},
    {"{% for loop in x %}{% endfor %}",
     "template line 1, column 13: Can't assign to special loop variable in for-loop"},
    {"{% break %}", "template line 1, column 4: 'break' outside of a loop"},
    {"{% macro f(a=1, b) %}{% endmacro %}",
     "template line 1, column 18: non-default argument follows default argument"},
    {"{{ f(a=1, 2) }}", "template line 1, column 11: invalid syntax for function call expression"},
    {"{{ a.'b' }}", "template line 1, column 6: expected name or number"},
    {"{% call x %}{% endcall %}", "template line 1, column 4: expected call"},
    {"{% autoescape true %}{% endautoescape %}",
     "template line 1, column 4: autoescape can only be false"},
    {"{{ {1: 2, 3} }}", "template line 1, column 12: expected ':', got '}'"},
    {"{{ 1_000_ }}", "template line 1, column 9: expected 'end of print statement', got '_'"},
    {"{% for x %}{% endfor %}",
     "template line 1, column 10: expected 'in', got 'end of statement block'"},
    {"{{ [1, 2 }}", "template line 1, column 10: unexpected '}', expected ']'"},
    {"{{ '\\x4' }}", "template line 1, column 4: truncated \\xXX escape"},
};

}  // namespace

TEST_CASE("each syntax error is told with its line and column") {
  for (const Row& row : kRows) {
    INFO(row.source);
    CHECK(fault(row.source) == row.message);
  }
}

TEST_CASE("what Python refuses while a template renders") {
  const auto refused = [](std::string_view source) {
    return !jinja::Template::parse(source).value().render(Json::object(), 0);
  };
  for (const char* format : {":+", ":#", ":,", ":_", "!r:,"}) {
    CAPTURE(format);
    CHECK(refused(fmt::format("{{{{ '{{{}}}'.format('x') }}}}", format)));
  }
  CHECK(!refused("{{ '{:_>4}'.format('x') }}"));
  CHECK(refused("{% filter length %}abc{% endfilter %}"));
  CHECK(!refused("{% filter first %}abc{% endfilter %}"));
}

TEST_CASE("what goes into a safe text is escaped") {
  const auto rendered = [](std::string_view source) {
    return jinja::Template::parse(source).value().render(Json::object(), 0).value();
  };
  CHECK(rendered("{{ ('<x>'|safe).replace('<', '&') }}") == "&amp;x>");
  CHECK(rendered("{{ ('<x>'|safe).replace('<', '&'|safe) }}") == "&x>");
  CHECK(rendered("{{ '<x>'.replace('<', '&') }}") == "&x>");
}

TEST_CASE("a number of any length is told in a short line") {
  const std::string message = fault("{{ " + std::string(100'000, '9') + " }}");
  CHECK(message.contains("999... is too large"));
  CHECK(message.size() < 200);
}
