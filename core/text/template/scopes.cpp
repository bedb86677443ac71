#include "core/text/template/scopes.h"

namespace nibble::jinja {
namespace {

class Scopes {
 public:
  explicit Scopes(size_t n_names) : seen_by_(n_names), n_around_(n_names) {}

  // A scope's names: parameters are set when it begins, targets first thing.
  struct Scope {
    Block& block;
    std::vector<int> params = {};
    const std::vector<ExprPtr>* targets = nullptr;
    const std::vector<ExprPtr>* asked = nullptr;  // expressions with its names
  };

  void scope(const Scope& s) {
    ++scope_;
    names_.clear();
    inner_.clear();
    unset_ = &s.block.unset;
    for (const int name : s.params) ask(name);
    if (s.targets)
      for (const ExprPtr& target : *s.targets) set(*target);
    statements(s.block);
    if (s.asked) ask(*s.asked);
    const auto names = std::move(names_);
    const auto inner = std::move(inner_);
    for (const int name : names) ++n_around_[size_t(name)];
    for (Stmt* statement : inner) scopes_of(*statement);
    for (const int name : names) --n_around_[size_t(name)];
  }

 private:
  bool first_time(int name) {
    if (std::exchange(seen_by_[size_t(name)], scope_) == scope_) return false;
    names_.push_back(name);
    return true;
  }
  void ask(int name) { first_time(name); }
  void ask(const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& e : exprs)
      if (e) ask(*e);
  }
  void ask(const Expr& e) {
    if (e.symbol >= 0) ask(e.symbol);
    ask(e.items);
    ask(e.args.positional);
    for (const auto& [name, value] : e.args.named) ask(*value);
    if (e.args.star) ask(*e.args.star);
    if (e.args.double_star) ask(*e.args.double_star);
  }
  void set(int name) {
    if (first_time(name) && n_branches_ == 0 && n_around_[size_t(name)] == 0)
      unset_->push_back(name);
  }
  void set(const Expr& target) {
    if (target.kind == ExprKind::kMember) return ask(target.symbol);
    if (target.kind == ExprKind::kName) return set(target.symbol);
    for (const ExprPtr& item : target.items) set(*item);
  }

  void statements(Block& block) {
    for (Stmt& s : block) statement(s);
  }
  void statement(Stmt& s) {
    if (s.kind == StmtKind::kFor)
      ask(*s.exprs[0]);  // its `if` has names of its own
    else if (s.kind != StmtKind::kSetBlock)
      ask(s.exprs);
    if (s.kind == StmtKind::kIf) {
      ++n_branches_;
      for (Block& block : s.blocks) statements(block);
      --n_branches_;
      return;
    }
    if (s.kind == StmtKind::kMacro) set(s.macro->symbol);
    if (s.kind == StmtKind::kSet || s.kind == StmtKind::kSetBlock) set(*s.target);
    if (s.macro || !s.blocks.empty()) inner_.push_back(&s);
  }

  void scopes_of(Stmt& s) {
    if (s.macro) {
      scope({.block = s.macro->body, .params = s.macro->params, .asked = &s.macro->defaults});
    } else if (s.kind == StmtKind::kFor) {
      std::vector<int> params = {};
      add_names(*s.target, params);
      scope({.block = s.blocks[0], .params = std::move(params)});
      scope({.block = s.blocks[1]});
    } else {
      const bool filters = s.kind == StmtKind::kSetBlock || s.kind == StmtKind::kFilterBlock;
      scope({.block = s.blocks[0], .targets = &s.targets, .asked = filters ? &s.exprs : nullptr});
    }
  }
  static void add_names(const Expr& target, std::vector<int>& names) {
    if (target.kind == ExprKind::kName) names.push_back(target.symbol);
    for (const ExprPtr& item : target.items) add_names(*item, names);
  }

  int scope_ = 0;
  std::vector<int> seen_by_;   // the last scope that names it, by name
  std::vector<int> n_around_;  // scopes around this one that name it
  std::vector<int> names_;     // of this scope
  std::vector<Stmt*> inner_;   // that open scopes
  std::vector<int>* unset_ = nullptr;
  int n_branches_ = 0;
};

}  // namespace

void find_unset_names(Tree& tree) { Scopes(tree.names.size()).scope({.block = tree.body}); }

}  // namespace nibble::jinja
