// Statements.
#include "core/text/template/runtime.h"

#include "core/base/json.h"
#include "core/text/template/print.h"

namespace nibble::jinja {

Value* Scope::find(int symbol) {
  for (auto& [name, value] : names)
    if (name == symbol) return &value;
  return nullptr;
}
void Scope::set(int symbol, Value v) {
  if (Value* old = find(symbol))
    *old = std::move(v);
  else
    names.emplace_back(symbol, std::move(v));
}

Interpreter::~Interpreter() {
  for (const auto& object : kept_) object->release();
}

std::unexpected<Error> Interpreter::out_of_steps() const {
  return invalid_input("the template takes more than {} steps", budget_.steps);
}
std::unexpected<Error> Interpreter::too_deep() const {
  return invalid_input("the template calls or nests deeper than {} levels", budget_.depth);
}
std::unexpected<Error> Interpreter::located(Error error, int line) {
  if (error_line_ == 0) error_line_ = line;
  return std::unexpected(std::move(error));
}

Result<void> Interpreter::spend_bytes(size_t n) {
  if (n > budget_.output_bytes)
    return invalid_input("the template makes a value larger than {} bytes", budget_.output_bytes);
  return spend(int64_t(n / 16));
}

Result<Value> Interpreter::text(std::string s, bool safe) {
  NIBBLE_CHECK(spend_bytes(s.size()));
  return Value::text(std::move(s), safe);
}

Result<std::string> Interpreter::str(const Value& v) {
  if (!v.is(Kind::kString) && !v.is_undefined()) return repr(v);
  std::string s = v.is_undefined() ? std::string() : v.str();
  NIBBLE_CHECK(spend_bytes(s.size()));
  return s;
}

Result<std::string> Interpreter::repr(const Value& v) {
  NIBBLE_CHECK(spend(v.weight()));
  NIBBLE_TRY(std::string s, jinja::repr(v, budget_.output_bytes));
  NIBBLE_CHECK(spend_chars(s));
  return s;
}

Result<std::string> Interpreter::render(const Json& variables) {
  globals_.resize(tree_.names.size());
  for (size_t i = 0; i < tree_.names.size(); ++i) {
    const std::string& name = tree_.names[i];
    if (const auto it = variables.find(name); it != variables.end()) {
      NIBBLE_TRY(globals_[i], from_json(*it));
    } else if (const Function* function = find_global(name)) {
      auto builtin = std::make_shared<Builtin>();
      builtin->function = function;
      globals_[i] = Value::object(Kind::kBuiltin, std::move(builtin));
    }
  }
  for (const int name : tree_.body.unset) globals_[size_t(name)].reset();
  std::string out;
  out_ = &out;
  auto flow = run(tree_.body);
  if (flow) return out;
  Error error = std::move(flow).error();
  error.message = fmt::format("template line {}: {}", error_line_, error.message);
  return std::unexpected(std::move(error));
}

Result<void> Interpreter::append(std::string_view text) {
  NIBBLE_CHECK(
      spend_bytes(out_->size() + text.size() > budget_.output_bytes ? SIZE_MAX : text.size()));
  *out_ += text;
  return {};
}

void Interpreter::define(int symbol, Value v) {
  if (scope_)
    scope_->set(symbol, std::move(v));
  else
    globals_[size_t(symbol)] = std::move(v);
}

Result<std::shared_ptr<Scope>> Interpreter::scope_of(const Block& block,
                                                     std::shared_ptr<Scope> parent) {
  NIBBLE_CHECK(spend(int64_t(block.unset.size() / 4)));
  auto scope = std::make_shared<Scope>();
  scope->parent = std::move(parent);
  for (const int name : block.unset) scope->names.emplace_back(name, Value());
  return scope;
}

Result<Flow> Interpreter::run(const Block& block) {
  const Deeper deeper(*this, kLevels / 2);
  if (deeper.too_deep()) return too_deep();
  for (const Stmt& s : block) {
    NIBBLE_TRY(const Flow flow, run(s));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Result<Flow> Interpreter::run(const Stmt& s) {
  auto flow = spend(1) ? run_kind(s) : Result<Flow>(out_of_steps());
  if (!flow) return located(std::move(flow).error(), s.line);
  return flow;
}

Result<Flow> Interpreter::run_kind(const Stmt& s) {
  Result<void> done;
  switch (s.kind) {
    case StmtKind::kText:
      done = append(s.text);
      break;
    case StmtKind::kPrint:
      done = print(s);
      break;
    case StmtKind::kIf:
      return run_if(s);
    case StmtKind::kFor:
      return run_for(s);
    case StmtKind::kSet: {
      NIBBLE_TRY(Value v, eval(*s.exprs[0]));
      done = assign(*s.target, std::move(v));
      break;
    }
    case StmtKind::kWith:
      return run_with(s);
    case StmtKind::kMacro:
      done = define_macro(s);
      break;
    case StmtKind::kCallBlock:
      done = run_call_block(s);
      break;
    case StmtKind::kSetBlock:
    case StmtKind::kFilterBlock:
    case StmtKind::kScope:
      return run_captured(s);
    case StmtKind::kBreak:
      return Flow::kBreak;
    case StmtKind::kContinue:
      return Flow::kContinue;
    case StmtKind::kRefuse:
      return invalid_input("{}", s.text);
  }
  NIBBLE_CHECK(std::move(done));
  return Flow::kNext;
}

Result<void> Interpreter::print(const Stmt& s) {
  for (const ExprPtr& e : s.exprs) {
    NIBBLE_TRY(const Value v, eval(*e));
    if (v.is(Kind::kString)) {
      NIBBLE_CHECK(append(v.str()));
      continue;
    }
    NIBBLE_TRY(const std::string text, str(v));
    NIBBLE_CHECK(append(text));
  }
  return {};
}

Result<Flow> Interpreter::run_if(const Stmt& s) {
  for (size_t i = 0; i < s.exprs.size(); ++i) {
    NIBBLE_TRY(const Value v, eval(*s.exprs[i]));
    if (truth(v)) return run(s.blocks[i]);
  }
  return s.blocks.size() > s.exprs.size() ? run(s.blocks.back()) : Flow::kNext;
}

// A set block, filter block or scope: what it prints, in a scope of its own that its filters see
// too, is assigned or printed. Nothing is when break or continue leaves it.
Result<Flow> Interpreter::run_captured(const Stmt& s) {
  std::string text;
  NIBBLE_TRY(auto inner, scope_of(s.blocks[0], scope_));
  auto saved_out = std::exchange(out_, &text);
  auto saved_scope = std::exchange(scope_, std::move(inner));
  const auto flow = run(s.blocks[0]);
  const Expr* filters = s.exprs.empty() ? nullptr : s.exprs[0].get();
  Result<Value> v = Value();
  if (flow && *flow == Flow::kNext) v = filter_text(filters, Value::text(std::move(text)));
  out_ = saved_out;
  scope_ = std::move(saved_scope);
  if (!flow || *flow != Flow::kNext) return flow;
  if (!v) return std::unexpected(std::move(v).error());
  if (s.target) {
    NIBBLE_CHECK(assign(*s.target, std::move(*v)));
    return Flow::kNext;
  }
  if (!v->is(Kind::kString))
    return invalid_input("sequence item 0: expected str instance, {} found", type_name(*v));
  NIBBLE_CHECK(append(v->str()));
  return Flow::kNext;
}

Result<Value> Interpreter::filter_text(const Expr* filters, Value text) {
  if (!filters) return text;
  const Value* saved = std::exchange(block_text_, &text);
  auto result = eval(*filters);
  block_text_ = saved;
  return result;
}

Result<Flow> Interpreter::run_with(const Stmt& s) {
  std::vector<Value> values;
  for (const ExprPtr& e : s.exprs) {
    NIBBLE_TRY(Value v, eval(*e));
    values.push_back(std::move(v));
  }
  NIBBLE_TRY(auto inner, scope_of(s.blocks[0], scope_));
  auto saved = std::exchange(scope_, std::move(inner));
  Result<void> done;
  for (size_t i = 0; i < values.size() && done; ++i)
    done = assign(*s.targets[i], std::move(values[i]));
  auto flow = done ? run(s.blocks[0]) : std::unexpected(done.error());
  scope_ = std::move(saved);
  return flow;
}

Result<void> Interpreter::define_macro(const Stmt& s) {
  NIBBLE_TRY(Value macro, make_macro(*s.macro));
  define(s.macro->symbol, std::move(macro));
  return {};
}

Result<void> Interpreter::run_call_block(const Stmt& s) {
  NIBBLE_TRY(const Value caller, make_macro(*s.macro));
  NIBBLE_TRY(const Value v,
             s.exprs.empty() ? call(caller, Args()) : eval_call(*s.exprs[0], &caller));
  NIBBLE_TRY(const std::string text, str(v));
  return append(text);
}

Result<void> Interpreter::assign(const Expr& target, Value v) {
  if (target.kind == ExprKind::kName) {
    if (scope_) NIBBLE_CHECK(spend(int64_t(scope_->names.size() / 16)));
    define(target.symbol, std::move(v));
    return {};
  }
  if (target.kind == ExprKind::kMember) {
    Value* owner = nullptr;
    for (Scope* s = scope_.get(); s && !owner; s = s->parent.get()) owner = s->find(target.symbol);
    if (!owner && globals_[size_t(target.symbol)]) owner = &*globals_[size_t(target.symbol)];
    if (!owner || !owner->is(Kind::kNamespace))
      return invalid_input("cannot assign attribute on non-namespace object");
    auto& attributes = owner->as<Namespace>().attributes;
    NIBBLE_CHECK(spend(int64_t(attributes.size() / 4)));
    for (auto& [name, value] : attributes)
      if (name == target.name) return value = std::move(v), Result<void>();
    attributes.emplace_back(target.name, std::move(v));
    return {};
  }
  NIBBLE_TRY(std::vector<Value> values, collect(v));
  if (values.size() != target.items.size())
    return invalid_input("cannot unpack {} values into {} names", values.size(),
                         target.items.size());
  for (size_t i = 0; i < values.size(); ++i)
    NIBBLE_CHECK(assign(*target.items[i], std::move(values[i])));
  return {};
}

}  // namespace nibble::jinja
