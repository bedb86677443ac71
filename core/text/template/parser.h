// Tokens to a syntax tree: blocks in parser.cpp, statements in parser_statements.cpp, expressions
// in parser_expressions.cpp and parser_operands.cpp.
#pragma once

#include <initializer_list>
#include <string_view>
#include <unordered_set>

#include "core/text/template/lexer.h"
#include "core/text/template/tree.h"

namespace nibble::jinja {

class Parser {
 public:
  Parser(std::vector<Token> tokens, int max_depth);
  Result<Tree> run();

 private:
  using Words = std::initializer_list<std::string_view>;

  // Tokens.
  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token next();
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  Result<void> expect_op(std::string_view op);
  Result<void> expect_name(std::string_view name);
  Result<void> expect(Tok type);
  Result<std::string> identifier();
  std::unexpected<Error> error(const Token& at, std::string_view message) const;
  std::unexpected<Error> unexpected(std::string_view wanted) const;

  // Statements.
  Result<Block> block(Words end, std::string_view tag);  // up to {% one of end, which is not taken
  Result<Block> body(Words end, std::string_view tag);   // the same after the tag's own %}
  Result<Block> whole_body(std::string_view end, std::string_view tag);  // takes the end's name too
  // With names of its own; loops: it is still part of the loop around it.
  Result<Block> inner_body(std::string_view end, std::string_view tag, bool loops = false);
  Result<Stmt> statement();
  Result<Stmt> print();
  Result<Stmt> set();
  Result<Stmt> if_();
  Result<Stmt> for_();
  Result<Stmt> with();
  Result<Stmt> macro();
  Result<Stmt> call_block();
  Result<Stmt> filter_block();
  Result<Stmt> generation();
  Result<Stmt> named_block();
  Result<Stmt> autoescape();
  Result<Stmt> loop_control(StmtKind kind);
  Result<Stmt> refused(std::string_view tag);
  Result<void> signature(MacroNode& macro);
  Result<void> macro_body(MacroNode& macro, std::string_view end, std::string_view tag);
  Result<ExprPtr> target(bool members, std::string_view end = {});
  Result<void> check_target(const Expr& target);

  // Expressions.
  Result<ExprPtr> expression(bool conditional = true);
  Result<ExprPtr> tuple(bool conditional, Words end = {}, bool parentheses = false);
  Result<ExprPtr> conditional();
  Result<ExprPtr> either();
  Result<ExprPtr> both();
  Result<ExprPtr> not_();
  Result<ExprPtr> comparison();
  Result<ExprPtr> sum();
  Result<ExprPtr> concat();
  Result<ExprPtr> product();
  Result<ExprPtr> power();
  Result<ExprPtr> unary(bool filters);
  Result<ExprPtr> primary();
  Result<ExprPtr> name();
  Result<ExprPtr> list();
  Result<ExprPtr> dict();
  Result<ExprPtr> postfix(ExprPtr node);
  Result<ExprPtr> filters_and_tests(ExprPtr node);
  Result<ExprPtr> attribute(ExprPtr node);
  Result<ExprPtr> subscript(ExprPtr node);
  Result<ExprPtr> subscript_part();
  Result<ExprPtr> call(ExprPtr node);
  Result<ExprPtr> filter(ExprPtr node);
  Result<ExprPtr> filter_chain(ExprPtr node);
  Result<ExprPtr> test(ExprPtr node);
  Result<Arguments> arguments();
  Result<void> argument(Arguments& args);
  Result<std::string> dotted_name();
  bool at_tuple_end(Words end) const;
  bool at_test_argument() const;

  template <class... Items>
  Result<ExprPtr> make(ExprKind kind, int line, Items... items);
  Result<ExprPtr> finish(ExprPtr node);
  Stmt stmt(StmtKind kind) const;
  int symbol(const std::string& name);

  struct Unknown {  // a filter or test there is none of: an error where it stands, or only when a
                    // branch runs
    std::string message;
    bool soft;
  };
  class Deeper;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int max_depth_, depth_ = 0;
  int loops_ = 0;
  bool soft_ = false;
  Tree tree_;
  std::unordered_map<std::string, int> symbols_;
  std::unordered_set<std::string> blocks_;  // names
  std::vector<MacroNode*> macros_;
  std::vector<Unknown> unknown_;
};

// Counts the nesting; in scope while it is deeper.
class Parser::Deeper {
 public:
  explicit Deeper(Parser& p) : parser_(p) { ++parser_.depth_; }
  ~Deeper() { --parser_.depth_; }
  Deeper(const Deeper&) = delete;
  bool too_deep() const { return parser_.depth_ > parser_.max_depth_; }

 private:
  Parser& parser_;
};

template <class... Items>
Result<ExprPtr> Parser::make(ExprKind kind, int line, Items... items) {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  (node->items.push_back(std::move(items)), ...);
  return finish(std::move(node));
}

}  // namespace nibble::jinja
