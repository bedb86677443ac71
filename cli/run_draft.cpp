#include "cli/run_draft.h"

#include <algorithm>

#include "cli/output.h"

namespace nibble::cli {
namespace {

constexpr int kMostPadding = 1024;  // rows that fill a vocabulary up to a round number

}  // namespace

Result<void> check_same_vocabulary(const Tokenizer& tokenizer, const Tokenizer& draft) {
  const int n = tokenizer.n_vocab(), n_draft = draft.n_vocab();
  if (std::abs(n - n_draft) > kMostPadding)
    return invalid_input(
        "its vocabulary has {} tokens, the model's {}: a draft model needs the same one", n_draft,
        n);
  for (TokenId id = 0; id < std::min(n, n_draft); ++id)
    if (tokenizer.token_text(id) != draft.token_text(id))
      return invalid_input(
          "its token {} is '{}', the model's '{}': a draft model needs the same vocabulary", id,
          one_line(draft.token_text(id)), one_line(tokenizer.token_text(id)));
  return {};
}

Result<std::unique_ptr<DraftModel>> load_draft(const RunOptions& o, const Tokenizer& tokenizer,
                                               ThreadPool& pool,
                                               const EngineOptions& engine_options) {
  if (o.draft.empty()) return nullptr;
  auto draft = std::make_unique<DraftModel>();
  NIBBLE_TRY(draft->source, open_text_source(o.draft));
  if (const auto same = check_same_vocabulary(tokenizer, *draft->source.tokenizer); !same)
    return fail(same.error().kind, "--draft {}: {}", draft->source.path.string(),
                same.error().message);
  NIBBLE_CHECK(open_weights(draft->source));
  NIBBLE_TRY(Model model, Model::load(*draft->source.file));
  draft->model = std::make_unique<Model>(std::move(model));
  draft->source.file->preload();
  NIBBLE_TRY(Engine engine, Engine::create(*draft->model, pool, engine_options));
  draft->engine = std::make_unique<Engine>(std::move(engine));
  return draft;
}

std::unique_ptr<Drafter> make_drafter(const RunOptions& o, DraftModel* draft, int n_vocab) {
  if (draft)
    return std::make_unique<ModelDrafter>(*draft->engine,
                                          std::min(n_vocab, draft->model->n_vocab()));
  if (o.lookup) return std::make_unique<LookupDrafter>();
  return nullptr;
}

}  // namespace nibble::cli
