// Statements, as jinja2 parses them with the loop controls and the generation tag of transformers.
#include <algorithm>

#include "core/text/template/parser.h"

namespace nibble::jinja {

Result<Stmt> Parser::set() {
  Stmt s = stmt(StmtKind::kSet);
  next();
  NIBBLE_TRY(s.target, target(true));
  if (skip_op("=")) {
    NIBBLE_TRY(ExprPtr value, tuple(true));
    s.exprs.push_back(std::move(value));
    return s;
  }
  s.kind = StmtKind::kSetBlock;
  NIBBLE_TRY(ExprPtr filters, filter_chain(nullptr));
  s.exprs.push_back(std::move(filters));
  NIBBLE_TRY(Block inner, inner_body("endset", "set", true));
  s.blocks.push_back(std::move(inner));
  return s;
}

Result<Stmt> Parser::if_() {
  Stmt s = stmt(StmtKind::kIf);
  const bool soft = std::exchange(soft_, true);
  next();
  while (true) {
    NIBBLE_TRY(ExprPtr condition, tuple(false));
    s.exprs.push_back(std::move(condition));
    NIBBLE_TRY(Block then, body({"elif", "else", "endif"}, "if"));
    s.blocks.push_back(std::move(then));
    const Token word = next();
    if (word.text == "elif") continue;
    if (word.text == "else") {
      NIBBLE_TRY(Block otherwise, whole_body("endif", "if"));
      s.blocks.push_back(std::move(otherwise));
    }
    soft_ = soft;
    return s;
  }
}

Result<Stmt> Parser::for_() {
  Stmt s = stmt(StmtKind::kFor);
  next();
  ++loops_;
  NIBBLE_TRY(s.target, target(false, "in"));
  NIBBLE_CHECK(expect_name("in"));
  NIBBLE_TRY(ExprPtr items, tuple(false, {"recursive"}));
  s.exprs.push_back(std::move(items));
  const bool soft = std::exchange(soft_, false);
  s.exprs.emplace_back();
  if (skip_name("if")) {
    NIBBLE_TRY(s.exprs.back(), expression());
  }
  s.recursive = skip_name("recursive");
  NIBBLE_TRY(Block each, body({"endfor", "else"}, "for"));
  s.blocks.push_back(std::move(each));
  --loops_;
  s.blocks.emplace_back();
  if (next().text == "else") {
    NIBBLE_TRY(s.blocks.back(), whole_body("endfor", "for"));
  }
  soft_ = soft;
  return s;
}

Result<Stmt> Parser::with() {
  Stmt s = stmt(StmtKind::kWith);
  next();
  while (current().type != Tok::kBlockEnd) {
    if (!s.targets.empty()) NIBBLE_CHECK(expect_op(","));
    NIBBLE_TRY(ExprPtr name, target(false, "="));
    NIBBLE_CHECK(expect_op("="));
    NIBBLE_TRY(ExprPtr value, expression());
    s.targets.push_back(std::move(name));
    s.exprs.push_back(std::move(value));
  }
  const bool soft = std::exchange(soft_, false);
  NIBBLE_TRY(Block inner, whole_body("endwith", "with"));
  soft_ = soft;
  s.blocks.push_back(std::move(inner));
  return s;
}

Result<void> Parser::signature(MacroNode& macro) {
  NIBBLE_CHECK(expect_op("("));
  while (!current().is_op(")")) {
    if (!macro.params.empty()) NIBBLE_CHECK(expect_op(","));
    const Token at = current();
    NIBBLE_TRY(std::string name, identifier());
    macro.params.push_back(symbol(name));
    if (name == "caller" && !current().is_op("="))
      return error(at, "the special \"caller\" argument must be omitted or be given a default");
    macro.param_names.push_back(std::move(name));
    if (skip_op("=")) {
      NIBBLE_TRY(ExprPtr value, expression());
      macro.defaults.push_back(std::move(value));
    } else if (!macro.defaults.empty()) {
      return error(current(), "non-default argument follows default argument");
    }
  }
  next();
  return {};
}

Result<void> Parser::macro_body(MacroNode& macro, std::string_view end, std::string_view tag) {
  macros_.push_back(&macro);
  auto inner = inner_body(end, tag);
  macros_.pop_back();
  if (!inner) return std::unexpected(std::move(inner).error());
  macro.body = std::move(*inner);
  // A parameter of a special name is one like any other.
  const auto is_param = [&](int name) {
    return std::ranges::find(macro.params, name) != macro.params.end();
  };
  macro.explicit_caller = is_param(tree_.caller);
  macro.uses_varargs = macro.uses_varargs && !is_param(tree_.varargs);
  macro.uses_kwargs = macro.uses_kwargs && !is_param(tree_.kwargs);
  return {};
}

Result<Stmt> Parser::macro() {
  Stmt s = stmt(StmtKind::kMacro);
  next();
  s.macro = std::make_unique<MacroNode>();
  NIBBLE_TRY(s.macro->name, identifier());
  s.macro->symbol = symbol(s.macro->name);
  NIBBLE_CHECK(signature(*s.macro));
  NIBBLE_CHECK(macro_body(*s.macro, "endmacro", "macro"));
  return s;
}

Result<Stmt> Parser::call_block() {
  Stmt s = stmt(StmtKind::kCallBlock);
  const Token tag = next();
  s.macro = std::make_unique<MacroNode>();
  if (current().is_op("(")) NIBBLE_CHECK(signature(*s.macro));
  NIBBLE_TRY(ExprPtr called, expression());
  if (called->kind != ExprKind::kCall) return error(tag, "expected call");
  s.exprs.push_back(std::move(called));
  NIBBLE_CHECK(macro_body(*s.macro, "endcall", "call"));
  return s;
}

Result<Stmt> Parser::filter_block() {
  Stmt s = stmt(StmtKind::kFilterBlock);
  next();
  NIBBLE_TRY(ExprPtr first, filter(nullptr));
  NIBBLE_TRY(ExprPtr filters, filter_chain(std::move(first)));
  s.exprs.push_back(std::move(filters));
  NIBBLE_TRY(Block inner, inner_body("endfilter", "filter", true));
  s.blocks.push_back(std::move(inner));
  return s;
}

// A macro that transformers calls where it stands.
Result<Stmt> Parser::generation() {
  Stmt s = stmt(StmtKind::kCallBlock);
  next();
  s.macro = std::make_unique<MacroNode>();
  NIBBLE_CHECK(macro_body(*s.macro, "endgeneration", "generation"));
  return s;
}

Result<Stmt> Parser::named_block() {
  Stmt s = stmt(StmtKind::kScope);
  const Token tag = next();
  NIBBLE_TRY(const std::string name, identifier());
  if (!blocks_.insert(name).second)
    return error(tag, fmt::format("block '{}' defined twice", name));
  skip_name("scoped");
  skip_name("required");
  NIBBLE_TRY(Block inner, inner_body("endblock", "block"));
  skip_name(name);
  s.blocks.push_back(std::move(inner));
  return s;
}

// {% autoescape false %} is what there is anyway.
Result<Stmt> Parser::autoescape() {
  Stmt s = stmt(StmtKind::kScope);
  const Token tag = next();
  if (!current().is_name("false") && !current().is_name("False"))
    return error(tag, "autoescape can only be false");
  next();
  NIBBLE_TRY(Block inner, inner_body("endautoescape", "autoescape", true));
  s.blocks.push_back(std::move(inner));
  return s;
}

Result<Stmt> Parser::loop_control(StmtKind kind) {
  Stmt s = stmt(kind);
  const Token word = next();
  if (loops_ == 0) return error(word, fmt::format("'{}' outside of a loop", word.text));
  return s;
}

Result<Stmt> Parser::refused(std::string_view tag) {
  Stmt s = stmt(StmtKind::kRefuse);
  while (current().type != Tok::kBlockEnd && current().type != Tok::kEof) next();
  s.text = fmt::format("'{}' needs another template, and there is none beside this one", tag);
  return s;
}

Result<void> Parser::check_target(const Expr& e) {
  if (e.kind == ExprKind::kTuple) {
    for (const ExprPtr& item : e.items) NIBBLE_CHECK(check_target(*item));
    return {};
  }
  if (e.kind != ExprKind::kName && e.kind != ExprKind::kMember)
    return error(current(), "can't assign to this");
  if (e.kind == ExprKind::kName && e.symbol == tree_.loop && loops_ > 0)
    return error(current(), "Can't assign to special loop variable in for-loop");
  return {};
}

// A name, names with commas between them, or (for set) name.attribute.
Result<ExprPtr> Parser::target(bool members, std::string_view end) {
  const int line = current().line;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  while (true) {
    const bool closed = current().type == Tok::kBlockEnd || current().is_op(")") ||
                        current().is_name(end) || current().is_op(end);
    if (closed) break;
    NIBBLE_TRY(ExprPtr item, primary());
    if (members && item->kind == ExprKind::kName && skip_op(".")) {
      item->kind = ExprKind::kMember;
      NIBBLE_TRY(item->name, identifier());
    }
    NIBBLE_CHECK(check_target(*item));
    items.push_back(std::move(item));
    if (!skip_op(",")) break;
    is_tuple = true;
  }
  if (items.empty()) return unexpected("a name");
  if (!is_tuple) return std::move(items[0]);
  NIBBLE_TRY(ExprPtr out, make(ExprKind::kTuple, line));
  out->items = std::move(items);
  return finish(std::move(out));
}

}  // namespace nibble::jinja
