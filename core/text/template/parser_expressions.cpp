// Expressions, from the loosest binding to the tightest: a if b else c, or, and, not, comparisons,
// + -, ~, * / // %, **, unary signs. What binds tighter is in parser_operands.cpp.
#include <algorithm>

#include "core/text/template/parser.h"

namespace nibble::jinja {
namespace {

constexpr int kMaxTreeDepth = 800;

struct OpRow {
  std::string_view text;
  Op op;
};
constexpr OpRow kComparisons[] = {{"==", Op::kEq}, {"!=", Op::kNe}, {"<", Op::kLt},
                                  {"<=", Op::kLe}, {">", Op::kGt},  {">=", Op::kGe}};
constexpr OpRow kSums[] = {{"+", Op::kAdd}, {"-", Op::kSub}};
constexpr OpRow kProducts[] = {
    {"*", Op::kMul}, {"/", Op::kDiv}, {"//", Op::kFloorDiv}, {"%", Op::kMod}};

template <size_t N>
const OpRow* find_op(const OpRow (&rows)[N], const Token& t) {
  for (const OpRow& row : rows)
    if (t.is_op(row.text)) return &row;
  return nullptr;
}

}  // namespace

Result<ExprPtr> Parser::finish(ExprPtr node) {
  int depth = 0;
  const auto add = [&](const ExprPtr& e) { depth = std::max(depth, e ? e->depth : 0); };
  std::ranges::for_each(node->items, add);
  std::ranges::for_each(node->args.positional, add);
  for (const auto& [name, value] : node->args.named) add(value);
  add(node->args.star);
  add(node->args.double_star);
  node->depth = depth + 1;
  if (node->depth > kMaxTreeDepth) return error(current(), "expression is nested too deeply");
  return node;
}

Result<ExprPtr> Parser::expression(bool with_condition) {
  const Deeper deeper(*this);
  if (deeper.too_deep()) return error(current(), "expression is nested too deeply");
  return with_condition ? conditional() : either();
}

bool Parser::at_tuple_end(Words end) const {
  const Token& t = current();
  return t.type == Tok::kPrintEnd || t.type == Tok::kBlockEnd || t.is_op(")") ||
         (t.type == Tok::kName && std::ranges::find(end, t.text) != end.end());
}

Result<ExprPtr> Parser::tuple(bool with_condition, Words end, bool parentheses) {
  const int line = current().line;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  while (!at_tuple_end(end)) {
    NIBBLE_TRY(ExprPtr item, expression(with_condition));
    items.push_back(std::move(item));
    if (!skip_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return std::move(items[0]);
  if (!is_tuple && !parentheses) return unexpected("an expression");
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kTuple, line));
  out->items = std::move(items);
  return finish(std::move(out));
}

Result<ExprPtr> Parser::conditional() {
  const size_t unknown_before = unknown_.size();
  const int line = current().line;
  NIBBLE_TRY(ExprPtr value, either());
  while (skip_name("if")) {
    const Deeper deeper(*this);
    NIBBLE_TRY(ExprPtr test, either());
    ExprPtr other;
    if (skip_name("else")) {
      if (deeper.too_deep()) return error(current(), "expression is nested too deeply");
      NIBBLE_TRY(other, conditional());
    }
    for (size_t i = unknown_before; i < unknown_.size(); ++i) unknown_[i].soft = true;
    NIBBLE_TRY(value, make(ExprKind::kConditional, line, std::move(test), std::move(value),
                           std::move(other)));
  }
  return value;
}

Result<ExprPtr> Parser::either() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr left, both());
  while (skip_name("or")) {
    NIBBLE_TRY(ExprPtr right, both());
    NIBBLE_TRY(left, make(ExprKind::kOr, line, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::both() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr left, not_());
  while (skip_name("and")) {
    NIBBLE_TRY(ExprPtr right, not_());
    NIBBLE_TRY(left, make(ExprKind::kAnd, line, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::not_() {
  if (!current().is_name("not")) return comparison();
  const Deeper deeper(*this);
  if (deeper.too_deep()) return error(current(), "expression is nested too deeply");
  const int line = next().line;
  NIBBLE_TRY(ExprPtr operand, not_());
  return make(ExprKind::kNot, line, std::move(operand));
}

Result<ExprPtr> Parser::comparison() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr first, sum());
  std::vector<ExprPtr> items;
  std::vector<Op> ops;
  while (true) {
    if (const OpRow* row = find_op(kComparisons, current()))
      ops.push_back(row->op);
    else if (current().is_name("in"))
      ops.push_back(Op::kIn);
    else if (current().is_name("not") && ahead().is_name("in"))
      ops.push_back(Op::kNotIn);
    else
      break;
    if (ops.back() == Op::kNotIn) next();
    next();
    NIBBLE_TRY(ExprPtr operand, sum());
    items.push_back(std::move(operand));
  }
  if (ops.empty()) return first;
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kCompare, line, std::move(first)));
  out->ops = std::move(ops);
  std::ranges::move(items, std::back_inserter(out->items));
  return finish(std::move(out));
}

Result<ExprPtr> Parser::sum() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr left, concat());
  while (const OpRow* row = find_op(kSums, current())) {
    next();
    NIBBLE_TRY(ExprPtr right, concat());
    NIBBLE_TRY(left, make(ExprKind::kArithmetic, line, std::move(left), std::move(right)));
    left->op = row->op;
  }
  return left;
}

Result<ExprPtr> Parser::concat() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr first, product());
  if (!current().is_op("~")) return first;
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kConcat, line, std::move(first)));
  while (skip_op("~")) {
    NIBBLE_TRY(ExprPtr item, product());
    out->items.push_back(std::move(item));
  }
  return finish(std::move(out));
}

Result<ExprPtr> Parser::product() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr left, power());
  while (const OpRow* row = find_op(kProducts, current())) {
    next();
    NIBBLE_TRY(ExprPtr right, power());
    NIBBLE_TRY(left, make(ExprKind::kArithmetic, line, std::move(left), std::move(right)));
    left->op = row->op;
  }
  return left;
}

Result<ExprPtr> Parser::power() {
  const int line = current().line;
  NIBBLE_TRY(ExprPtr left, unary(true));
  while (skip_op("**")) {
    NIBBLE_TRY(ExprPtr right, unary(true));
    NIBBLE_TRY(left, make(ExprKind::kArithmetic, line, std::move(left), std::move(right)));
    left->op = Op::kPow;
  }
  return left;
}

Result<ExprPtr> Parser::unary(bool filters) {
  const Deeper deeper(*this);
  if (deeper.too_deep()) return error(current(), "expression is nested too deeply");
  const int line = current().line;
  ExprPtr node;
  if (current().is_op("-") || current().is_op("+")) {
    const auto kind = next().text == "-" ? ExprKind::kNegative : ExprKind::kPositive;
    NIBBLE_TRY(node, unary(false));
    NIBBLE_TRY(node, make(kind, line, std::move(node)));
  } else {
    NIBBLE_TRY(node, primary());
  }
  NIBBLE_TRY(node, postfix(std::move(node)));
  return filters ? filters_and_tests(std::move(node)) : std::move(node);
}

}  // namespace nibble::jinja
