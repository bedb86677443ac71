// Operands: literals, names, lists, dicts, what stands after them (. [] ()), filters and tests.
#include <algorithm>

#include "core/text/template/call.h"
#include "core/text/template/parser.h"

namespace nibble::jinja {

Result<ExprPtr> Parser::primary() {
  const Token& t = current();
  if (t.type == Tok::kName) return name();
  if (t.is_op("[")) return list();
  if (t.is_op("{")) return dict();
  if (t.is_op("(")) {
    next();
    NIBBLE_TRY(ExprPtr inner, tuple(true, {}, true));
    NIBBLE_CHECK(expect_op(")"));
    return inner;
  }
  const bool literal = t.type == Tok::kString || t.type == Tok::kInt || t.type == Tok::kFloat;
  if (!literal) return unexpected("an expression");
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kLiteral, t.line));
  Token first = next();
  if (first.type == Tok::kInt) out->value = Value::integer(first.integer);
  if (first.type == Tok::kFloat) out->value = Value::number(first.number);
  if (first.type == Tok::kString) {
    while (current().type == Tok::kString) first.text += next().text;
    out->value = Value::text(std::move(first.text));
  }
  return out;
}

Result<ExprPtr> Parser::name() {
  Token t = next();
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kLiteral, t.line));
  if (t.text == "true" || t.text == "True") {
    out->value = Value::boolean(true);
  } else if (t.text == "false" || t.text == "False") {
    out->value = Value::boolean(false);
  } else if (t.text == "none" || t.text == "None") {
    out->value = Value::none();
  } else {
    out->kind = ExprKind::kName;
    out->symbol = symbol(t.text);
    for (MacroNode* macro : macros_) {
      macro->uses_caller = macro->uses_caller || out->symbol == tree_.caller;
      macro->uses_varargs = macro->uses_varargs || out->symbol == tree_.varargs;
      macro->uses_kwargs = macro->uses_kwargs || out->symbol == tree_.kwargs;
    }
    out->name = std::move(t.text);
  }
  return out;
}

Result<ExprPtr> Parser::list() {
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kList, next().line));
  while (!current().is_op("]")) {
    if (!out->items.empty()) NIBBLE_CHECK(expect_op(","));
    if (current().is_op("]")) break;
    NIBBLE_TRY(ExprPtr item, expression());
    out->items.push_back(std::move(item));
  }
  next();
  return finish(std::move(out));
}

Result<ExprPtr> Parser::dict() {
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kDict, next().line));
  while (!current().is_op("}")) {
    if (!out->items.empty()) NIBBLE_CHECK(expect_op(","));
    if (current().is_op("}")) break;
    NIBBLE_TRY(ExprPtr key, expression());
    NIBBLE_CHECK(expect_op(":"));
    NIBBLE_TRY(ExprPtr value, expression());
    out->items.push_back(std::move(key));
    out->items.push_back(std::move(value));
  }
  next();
  return finish(std::move(out));
}

Result<ExprPtr> Parser::postfix(ExprPtr node) {
  while (true) {
    if (current().is_op(".")) {
      NIBBLE_TRY(node, attribute(std::move(node)));
    } else if (current().is_op("[")) {
      NIBBLE_TRY(node, subscript(std::move(node)));
    } else if (current().is_op("(")) {
      NIBBLE_TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::filters_and_tests(ExprPtr node) {
  while (true) {
    if (current().is_op("|")) {
      next();
      NIBBLE_TRY(node, filter(std::move(node)));
    } else if (current().is_name("is")) {
      NIBBLE_TRY(node, test(std::move(node)));
    } else if (current().is_op("(")) {
      NIBBLE_TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::attribute(ExprPtr node) {
  const int line = next().line;
  Token t = next();
  if (t.type == Tok::kName) {
    NIBBLE_TRY(ExprPtr out, make(ExprKind::kAttribute, line, std::move(node)));
    out->name = std::move(t.text);
    return out;
  }
  if (t.type != Tok::kInt) return error(t, "expected name or number");
  NIBBLE_TRY(ExprPtr index, make(ExprKind::kLiteral, line));
  index->value = Value::integer(t.integer);
  return make(ExprKind::kItem, line, std::move(node), std::move(index));
}

Result<ExprPtr> Parser::subscript(ExprPtr node) {
  const int line = next().line;
  std::vector<ExprPtr> parts;
  while (!current().is_op("]")) {
    if (!parts.empty()) NIBBLE_CHECK(expect_op(","));
    NIBBLE_TRY(ExprPtr part, subscript_part());
    parts.push_back(std::move(part));
  }
  next();
  if (parts.size() == 1) return make(ExprKind::kItem, line, std::move(node), std::move(parts[0]));
  NIBBLE_TRY(ExprPtr key, make(ExprKind::kTuple, line));
  key->items = std::move(parts);
  NIBBLE_TRY(key, finish(std::move(key)));
  return make(ExprKind::kItem, line, std::move(node), std::move(key));
}

Result<ExprPtr> Parser::subscript_part() {
  const int line = current().line;
  ExprPtr parts[3];
  if (!current().is_op(":")) {
    NIBBLE_TRY(parts[0], expression());
    if (!current().is_op(":")) return std::move(parts[0]);
  }
  for (int i = 1; i < 3 && skip_op(":"); ++i) {
    if (current().is_op(":") || current().is_op("]") || current().is_op(",")) continue;
    NIBBLE_TRY(parts[i], expression());
  }
  return make(ExprKind::kSlice, line, std::move(parts[0]), std::move(parts[1]),
              std::move(parts[2]));
}

Result<ExprPtr> Parser::call(ExprPtr node) {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kCall, line, std::move(node)));
  NIBBLE_TRY(out->args, arguments());
  return finish(std::move(out));
}

Result<Arguments> Parser::arguments() {
  Arguments args;
  NIBBLE_CHECK(expect_op("("));
  for (bool first = true; !current().is_op(")"); first = false) {
    if (!first) NIBBLE_CHECK(expect_op(","));
    if (current().is_op(")")) break;
    NIBBLE_CHECK(argument(args));
  }
  next();
  return args;
}

Result<void> Parser::argument(Arguments& args) {
  const Token at = current();
  const auto misplaced = [&] { return error(at, "invalid syntax for function call expression"); };
  if (skip_op("*")) {
    if (args.star || args.double_star) return misplaced();
    NIBBLE_TRY(args.star, expression());
  } else if (skip_op("**")) {
    if (args.double_star) return misplaced();
    NIBBLE_TRY(args.double_star, expression());
  } else if (at.type == Tok::kName && ahead().is_op("=")) {
    if (args.double_star) return misplaced();
    next();
    next();
    NIBBLE_TRY(ExprPtr value, expression());
    args.named.emplace_back(at.text, std::move(value));
  } else {
    if (args.star || args.double_star || !args.named.empty()) return misplaced();
    NIBBLE_TRY(ExprPtr value, expression());
    args.positional.push_back(std::move(value));
  }
  return {};
}

Result<std::string> Parser::dotted_name() {
  NIBBLE_TRY(std::string out, identifier());
  while (skip_op(".")) {
    NIBBLE_TRY(const std::string part, identifier());
    out += "." + part;
  }
  return out;
}

Result<ExprPtr> Parser::filter(ExprPtr node) {
  const Token at = current();
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kFilter, at.line, std::move(node)));
  NIBBLE_TRY(out->name, dotted_name());
  out->function = find_filter(out->name);
  if (!out->function)
    unknown_.push_back({fmt::format("template line {}, column {}: No filter named '{}'.", at.line,
                                    at.column, out->name),
                        soft_});
  if (current().is_op("(")) {
    NIBBLE_TRY(out->args, arguments());
  }
  return finish(std::move(out));
}

Result<ExprPtr> Parser::filter_chain(ExprPtr node) {
  while (skip_op("|")) {
    NIBBLE_TRY(node, filter(std::move(node)));
  }
  return node;
}

bool Parser::at_test_argument() const {
  const Token& t = current();
  switch (t.type) {
    case Tok::kString:
    case Tok::kInt:
    case Tok::kFloat:
      return true;
    case Tok::kName:
      return t.text != "else" && t.text != "or" && t.text != "and";
    default:
      return t.is_op("[") || t.is_op("{");
  }
}

Result<ExprPtr> Parser::test(ExprPtr node) {
  const Token is = next();
  const bool negated = skip_name("not");
  const Token at = current();
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kTest, is.line, std::move(node)));
  NIBBLE_TRY(out->name, dotted_name());
  out->function = find_test(out->name);
  if (!out->function)
    unknown_.push_back({fmt::format("template line {}, column {}: No test named '{}'.", at.line,
                                    at.column, out->name),
                        soft_});
  if (current().is_op("(")) {
    NIBBLE_TRY(out->args, arguments());
  } else if (at_test_argument()) {
    if (current().is_name("is")) return error(current(), "You cannot chain multiple tests with is");
    NIBBLE_TRY(ExprPtr argument, primary());
    NIBBLE_TRY(argument, postfix(std::move(argument)));
    out->args.positional.push_back(std::move(argument));
  }
  NIBBLE_TRY(out, finish(std::move(out)));
  return negated ? make(ExprKind::kNot, is.line, std::move(out)) : std::move(out);
}

}  // namespace nibble::jinja
