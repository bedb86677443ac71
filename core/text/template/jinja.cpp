// The interpreter's two entrances.
#include "core/text/template/jinja.h"

#include "core/text/template/lexer.h"
#include "core/text/template/parser.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {

struct Template::Impl {
  Tree tree;
  Budget budget;
};

Template::Template(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view source, Budget budget) {
  NIBBLE_TRY(auto tokens, tokenize(source));
  auto impl = std::make_unique<Impl>();
  NIBBLE_TRY(impl->tree, Parser(std::move(tokens), budget.depth).run());
  impl->budget = budget;
  return Template(std::move(impl));
}

Result<std::string> Template::render(const Json& variables, int64_t now) const {
  return Interpreter(impl_->tree, impl_->budget, now).render(variables);
}

}  // namespace nibble::jinja
