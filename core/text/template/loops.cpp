// The for statement.
#include "core/text/template/runtime.h"

namespace nibble::jinja {

Result<Flow> Interpreter::run_for(const Stmt& s) {
  NIBBLE_TRY(const Value iterable, eval(*s.exprs[0]));
  NIBBLE_CHECK(run_loop(s, iterable, scope_, 0));
  return Flow::kNext;
}

// The items for which the loop's own `if` holds, asked when their turn comes.
Result<Value> Interpreter::filtered(const Stmt& s, const Value& iterable,
                                    std::shared_ptr<Scope> outer) {
  NIBBLE_TRY(Iterator source, Iterator::over(*this, iterable));
  return make_generator(iterable, [this, &s, outer, source](Value& out) mutable -> Result<bool> {
    while (true) {
      NIBBLE_TRY(const bool more, source.next(out));
      if (!more) return false;
      auto inner = std::make_shared<Scope>();
      inner->parent = outer;
      auto saved = std::exchange(scope_, std::move(inner));
      auto assigned = assign(*s.target, out);
      auto holds = assigned ? eval(*s.exprs[1]) : std::unexpected(assigned.error());
      scope_ = std::move(saved);
      if (!holds) return std::unexpected(std::move(holds).error());
      if (truth(*holds)) return true;
    }
  });
}

Result<void> Interpreter::run_loop(const Stmt& s, const Value& iterable,
                                   std::shared_ptr<Scope> outer, int level) {
  auto loop = std::make_shared<Loop>();
  loop->iterable = iterable;
  if (s.exprs[1]) {
    NIBBLE_TRY(loop->iterable, filtered(s, iterable, outer));
  }
  Extent extent;
  extent.add(loop->iterable);
  NIBBLE_CHECK(extent.store(*loop));
  loop->weight = 1;
  NIBBLE_TRY(loop->iterator, Iterator::over(*this, loop->iterable));
  loop->level = level;
  if (s.recursive) {
    loop->node = &s;
    loop->scope = outer;
  }
  auto saved = scope_;
  auto ran = run_rounds(s, loop, outer);
  scope_ = saved;
  if (!ran) return std::unexpected(std::move(ran).error());
  if (*ran) return {};
  NIBBLE_TRY(scope_, scope_of(s.blocks[1], outer));
  auto flow = run(s.blocks[1]);
  scope_ = std::move(saved);
  if (!flow) return std::unexpected(std::move(flow).error());
  return {};
}

// True when a round ran to its end; a loop none of whose rounds did runs its else part, as jinja2
// has it.
Result<bool> Interpreter::run_rounds(const Stmt& s, const std::shared_ptr<Loop>& loop,
                                     std::shared_ptr<Scope> outer) {
  bool ran = false;
  scope_ = nullptr;
  while (true) {
    NIBBLE_CHECK(spend(1));
    NIBBLE_TRY(const bool more, loop->advance());
    if (!more) return ran;
    NIBBLE_TRY(scope_, scope_of(s.blocks[0], outer));
    scope_->set(tree_.loop, Value::object(Kind::kLoop, loop));
    NIBBLE_CHECK(assign(*s.target, loop->current));
    NIBBLE_TRY(const Flow flow, run(s.blocks[0]));
    if (flow == Flow::kBreak) return ran;
    ran = ran || flow == Flow::kNext;
  }
}

}  // namespace nibble::jinja
