// Runs a template's tree: scopes, macros, loops, and what built-ins need of it. One interpreter
// serves one rendering.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/text/template/call.h"
#include "core/text/template/jinja.h"
#include "core/text/template/tree.h"
#include "core/text/template/value.h"

namespace nibble::jinja {

class Interpreter;

// Names of one block. Looked up from the innermost outwards; the outermost is the interpreter's own
// table.
struct Scope : Object {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<int, Value>> names;
  Value* find(int symbol);
  void set(int symbol, Value v);
  void release() override { names.clear(); }
};

struct Macro : Object {
  const MacroNode* node = nullptr;
  std::shared_ptr<Scope> scope;
  std::string_view name() const { return node->name; }
};

// A walk over a value: its items, characters, keys.
class Iterator {
 public:
  Iterator() = default;
  static Result<Iterator> over(Interpreter& in, const Value& v);
  Result<bool> next(Value& out);  // false: at the end
  void restart(const Value& v) { source_ = v, at_ = 0; }

 private:
  Interpreter* in_ = nullptr;
  Value source_;
  size_t at_ = 0;
};
bool is_iterable(const Value& v);
std::vector<Value> view_items(const View& view);
size_t char_offset_of(const String& s, size_t n);  // byte of the n-th character

struct Loop : Object {
  Value iterable, current, before, after;
  Iterator iterator;
  bool has_after = false;
  int64_t index0 = -1;
  std::optional<int64_t> n_items;
  int level = 0;                 // of recursion
  const Stmt* node = nullptr;    // of a recursive loop
  std::shared_ptr<Scope> scope;  // where it stands
  std::optional<Value> changed;

  Result<bool> advance();
  Result<bool> peek();  // true: there is a next one, in after
  Result<int64_t> length();
  void release() override;
};

enum class Flow : uint8_t { kNext, kBreak, kContinue };

class Interpreter {
 public:
  Interpreter(const Tree& tree, const Budget& budget, int64_t now)
      : tree_(tree), budget_(budget), steps_(budget.steps), now_(now) {}
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  Result<std::string> render(const Json& variables);

  // For built-ins. spend: n nodes, elements or units of 16 bytes that are copied or compared.
  Result<void> spend(int64_t n) {
    steps_ -= n;
    if (steps_ < 0) [[unlikely]]
      return out_of_steps();
    return {};
  }
  Result<void> spend_bytes(size_t n);
  // Work on single characters, which takes longer than copying them.
  Result<void> spend_chars(std::string_view text) { return spend(1 + int64_t(text.size() / 2)); }
  Result<Value> text(std::string s, bool safe = false);  // a string within the budget
  size_t max_bytes() const { return budget_.output_bytes; }
  int64_t now() const { return now_; }
  Result<std::string> str(const Value& v);
  Result<std::string> repr(const Value& v);
  Result<std::vector<Value>> collect(const Value& v);  // list(v)

  Result<Value> attribute(const Value& owner, std::string_view name);
  Result<Value> item(const Value& owner, const Value& key);
  Result<Value> slice(const Value& owner, const Value& start, const Value& stop, const Value& step);
  Result<bool> contains(const Value& container, const Value& v);
  Result<bool> equals(const Value& a, const Value& b);
  Result<int> order(const Value& a, const Value& b, std::string_view op = "<");
  Result<Value> arithmetic(Op op, const Value& a, const Value& b);
  Result<Value> call(const Value& callee, const Args& args);
  Result<Value> call(const Function& function, const Value& self, const Args& args);
  Result<Value> call_filter(std::string_view name, const Value& self, const Args& args);
  Result<bool> call_test(std::string_view name, const Value& self, const Args& args);
  void keep(std::shared_ptr<Object> object) { kept_.push_back(std::move(object)); }

  // In scope while the interpreter is one level deeper.
  class Deeper {
   public:
    Deeper(Interpreter& in, int levels) : in_(in), levels_(levels) { in_.depth_ += levels; }
    ~Deeper() { in_.depth_ -= levels_; }
    Deeper(const Deeper&) = delete;
    bool too_deep() const { return in_.depth_ > kLevels * in_.budget_.depth; }

   private:
    Interpreter& in_;
    int levels_;
  };
  static constexpr int kLevels = 8;  // a call or a block counts as so many nested expressions

 private:
  // Expressions.
  Result<Value> eval(const Expr& e);
  Result<Value> eval_kind(const Expr& e);
  Result<Value> eval_name(const Expr& e);
  Result<Value> eval_items(const Expr& e, Kind kind);
  Result<Value> eval_dict(const Expr& e);
  Result<Value> eval_sign(const Expr& e);
  Result<Value> eval_concat(const Expr& e);
  Result<Value> eval_compare(const Expr& e);
  Result<bool> compare_one(Op op, const Value& a, const Value& b);
  Result<Value> eval_conditional(const Expr& e);
  Result<Value> eval_item(const Expr& e);
  Result<Value> eval_call(const Expr& e, const Value* caller = nullptr);
  Result<Value> eval_filter(const Expr& e);
  Result<Value> eval_test(const Expr& e);
  Result<Args> eval_args(const Arguments& arguments);
  Result<Value> concatenate(const Value& a, const Value& b);
  Result<Value> repeat(const Value& v, Integer times);

  // Statements.
  Result<Flow> run(const Block& block);
  Result<Flow> run(const Stmt& s);
  Result<Flow> run_kind(const Stmt& s);
  Result<void> print(const Stmt& s);
  Result<Flow> run_if(const Stmt& s);
  Result<Flow> run_for(const Stmt& s);
  Result<void> run_loop(const Stmt& s, const Value& iterable, std::shared_ptr<Scope> outer,
                        int level);
  Result<bool> run_rounds(const Stmt& s, const std::shared_ptr<Loop>& loop,
                          std::shared_ptr<Scope> outer);
  Result<Value> filtered(const Stmt& s, const Value& iterable, std::shared_ptr<Scope> outer);
  Result<Flow> run_with(const Stmt& s);
  Result<void> run_call_block(const Stmt& s);
  Result<Flow> run_captured(const Stmt& s);
  Result<void> define_macro(const Stmt& s);
  Result<std::shared_ptr<Scope>> scope_of(const Block& block, std::shared_ptr<Scope> parent);
  Result<Value> filter_text(const Expr* filters, Value text);
  Result<void> assign(const Expr& target, Value v);
  Result<void> append(std::string_view text);

  // Calls.
  Result<Value> make_macro(const MacroNode& node);
  Result<Value> call_macro(const Macro& macro, const Args& args);
  Result<void> bind_macro(const Macro& macro, const Args& args, Scope& scope);
  Result<void> bind_special(const MacroNode& node, const Args& args, const std::vector<bool>& used,
                            Scope& scope);
  Result<Value> call_loop(const Loop& loop, const Args& args);

  Result<Value> plain_attribute(const Value& owner, std::string_view name, bool& found);
  Result<Value> loop_attribute(const Value& loop, std::string_view name, bool& found);
  Result<const Value*> subscript(const Value& owner, const Value& key, Value& made);
  void define(int symbol, Value v);
  std::unexpected<Error> out_of_steps() const;
  std::unexpected<Error> too_deep() const;
  std::unexpected<Error> located(Error error, int line);

  const Tree& tree_;
  Budget budget_;
  int64_t steps_;
  int64_t now_;
  int depth_ = 0;
  int error_line_ = 0;  // of the innermost node that failed
  std::string* out_ = nullptr;
  std::shared_ptr<Scope> scope_;
  std::vector<std::optional<Value>> globals_;  // by symbol
  const Value* block_text_ = nullptr;          // what a filter without a value takes
  std::vector<std::shared_ptr<Object>> kept_;  // may be part of cycles
};

}  // namespace nibble::jinja
