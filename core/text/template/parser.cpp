// Tokens, blocks, and which statement a tag begins.
#include "core/text/template/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/template/scopes.h"

namespace nibble::jinja {
namespace {

std::string describe(const Token& t) {
  switch (t.type) {
    case Tok::kData:
      return "template data / text";
    case Tok::kPrintBegin:
      return "begin of print statement";
    case Tok::kPrintEnd:
      return "end of print statement";
    case Tok::kBlockBegin:
      return "begin of statement block";
    case Tok::kBlockEnd:
      return "end of statement block";
    case Tok::kString:
      return "string";
    case Tok::kInt:
      return "integer";
    case Tok::kFloat:
      return "float";
    case Tok::kEof:
      return "end of template";
    default:
      return t.text;
  }
}

}  // namespace

Parser::Parser(std::vector<Token> tokens, int max_depth)
    : tokens_(std::move(tokens)), max_depth_(max_depth) {}

Result<Tree> Parser::run() {
  tree_.loop = symbol("loop");
  tree_.caller = symbol("caller");
  tree_.varargs = symbol("varargs");
  tree_.kwargs = symbol("kwargs");
  NIBBLE_TRY(tree_.body, block({}, {}));
  for (const Unknown& u : unknown_)
    if (!u.soft) return invalid_input("{}", u.message);
  find_unset_names(tree_);
  return std::move(tree_);
}

Token Parser::next() {
  Token t = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return t;
}
bool Parser::skip_op(std::string_view op) {
  if (!current().is_op(op)) return false;
  next();
  return true;
}
bool Parser::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  next();
  return true;
}
Result<void> Parser::expect_op(std::string_view op) {
  if (!skip_op(op)) return unexpected(fmt::format("'{}'", op));
  return {};
}
Result<void> Parser::expect_name(std::string_view name) {
  if (!skip_name(name)) return unexpected(fmt::format("'{}'", name));
  return {};
}
Result<void> Parser::expect(Tok type) {
  if (current().type != type) return unexpected(fmt::format("'{}'", describe({type, 0, 0, {}})));
  next();
  return {};
}
Result<std::string> Parser::identifier() {
  if (current().type != Tok::kName) return unexpected("a name");
  return next().text;
}

std::unexpected<Error> Parser::error(const Token& at, std::string_view message) const {
  return invalid_input("template line {}, column {}: {}", at.line, at.column, message);
}
std::unexpected<Error> Parser::unexpected(std::string_view wanted) const {
  return error(current(), fmt::format("expected {}, got '{}'", wanted, describe(current())));
}

Stmt Parser::stmt(StmtKind kind) const {
  Stmt s;
  s.kind = kind;
  s.line = current().line;
  return s;
}

int Parser::symbol(const std::string& name) {
  const auto [it, added] = symbols_.emplace(name, int(tree_.names.size()));
  if (added) tree_.names.push_back(name);
  return it->second;
}

Result<Block> Parser::block(Words end, std::string_view tag) {
  const Deeper deeper(*this);
  if (deeper.too_deep()) return error(current(), "blocks are nested too deeply");
  Block out;
  while (current().type != Tok::kEof) {
    if (current().type == Tok::kData) {
      out.push_back(stmt(StmtKind::kText));
      out.back().text = next().text;
    } else if (current().type == Tok::kPrintBegin) {
      NIBBLE_TRY(Stmt s, print());
      out.push_back(std::move(s));
    } else {
      NIBBLE_CHECK(expect(Tok::kBlockBegin));
      if (current().type == Tok::kName && std::ranges::find(end, current().text) != end.end())
        return out;
      NIBBLE_TRY(Stmt s, statement());
      out.push_back(std::move(s));
      NIBBLE_CHECK(expect(Tok::kBlockEnd));
    }
  }
  if (end.size() == 0) return out;
  return error(current(), fmt::format("Unexpected end of template. Looking for '{}'; the innermost "
                                      "block that needs to be closed is '{}'",
                                      fmt::join(end, "' or '"), tag));
}

Result<Block> Parser::body(Words end, std::string_view tag) {
  skip_op(":");
  NIBBLE_CHECK(expect(Tok::kBlockEnd));
  return block(end, tag);
}
Result<Block> Parser::whole_body(std::string_view end, std::string_view tag) {
  NIBBLE_TRY(Block out, body({end}, tag));
  next();
  return out;
}
Result<Block> Parser::inner_body(std::string_view end, std::string_view tag, bool loops) {
  const bool soft = std::exchange(soft_, false);
  const int n_loops = std::exchange(loops_, loops ? loops_ : 0);
  auto out = whole_body(end, tag);
  soft_ = soft;
  loops_ = n_loops;
  return out;
}

Result<Stmt> Parser::print() {
  Stmt s = stmt(StmtKind::kPrint);
  next();
  NIBBLE_TRY(ExprPtr value, tuple(true));
  s.exprs.push_back(std::move(value));
  NIBBLE_CHECK(expect(Tok::kPrintEnd));
  return s;
}

Result<Stmt> Parser::statement() {
  if (current().type != Tok::kName) return error(current(), "tag name expected");
  const std::string tag = current().text;
  if (tag == "set") return set();
  if (tag == "if") return if_();
  if (tag == "for") return for_();
  if (tag == "with") return with();
  if (tag == "macro") return macro();
  if (tag == "call") return call_block();
  if (tag == "filter") return filter_block();
  if (tag == "generation") return generation();
  if (tag == "block") return named_block();
  if (tag == "autoescape") return autoescape();
  if (tag == "break") return loop_control(StmtKind::kBreak);
  if (tag == "continue") return loop_control(StmtKind::kContinue);
  if (tag == "print") {
    Stmt s = stmt(StmtKind::kPrint);
    next();
    while (current().type != Tok::kBlockEnd) {
      if (!s.exprs.empty()) NIBBLE_CHECK(expect_op(","));
      NIBBLE_TRY(ExprPtr value, expression());
      s.exprs.push_back(std::move(value));
    }
    return s;
  }
  if (tag == "include" || tag == "import" || tag == "from" || tag == "extends") return refused(tag);
  return error(current(), fmt::format("Encountered unknown tag '{}'.", tag));
}

}  // namespace nibble::jinja
