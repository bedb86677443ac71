// eval --token-ids: logits of given tokens, or what follows them greedily.
#include <fmt/ranges.h>

#include <charconv>
#include <span>
#include <vector>

#include "cli/eval.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/base/json.h"
#include "core/pipeline/evaluate.h"
#include "formats/npy.h"

namespace nibble::cli {
namespace {

Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    TokenId id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{})
      return fail(ErrorKind::kUsage, "--token-ids: expected a number at '{}'", text);
    ids.push_back(id);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) return ids;
    if (!text.starts_with(','))
      return fail(ErrorKind::kUsage, "--token-ids: expected a comma at '{}'", text);
    text.remove_prefix(1);
  }
}

Result<void> write_logits(const EvalOptions& o, const Evaluation& e,
                          const std::vector<TokenId>& ids) {
  NIBBLE_TRY(NpyWriter out, NpyWriter::create(o.logits, static_cast<int64_t>(ids.size()),
                                              e.model->n_vocab(), true));
  Progress progress;
  Result<void> written;
  auto sink = [&](int index, std::span<const float> logits) {
    written = out.add_row(logits);
    return progress.show("eval", index + 1, static_cast<double>(ids.size()), "tokens") &&
           written.has_value();
  };
  const auto done = eval_logits(*e.engine, ids, sink);
  NIBBLE_CHECK(written);
  NIBBLE_CHECK(done);
  NIBBLE_CHECK(out.finish());
  if (!o.json) return {};
  return write_out(
      dump_json({{"logits", o.logits}, {"tokens", ids.size()}, {"n_vocab", e.model->n_vocab()}}) +
      "\n");
}

}  // namespace

Result<void> eval_tokens(const EvalOptions& o) {
  NIBBLE_TRY(const auto ids, parse_ids(o.token_ids));
  NIBBLE_TRY(const auto path, find_model(o.model));
  NIBBLE_TRY(auto file, open_weight_file(path));
  const int n_ctx = static_cast<int>(ids.size()) + o.greedy.value_or(0);
  ThreadPool pool(o.threads());
  NIBBLE_TRY(Evaluation e, prepare(o, std::move(file), pool, n_ctx, !o.fast));
  if (!o.greedy) return write_logits(o, e, ids);
  NIBBLE_TRY(const auto next, eval_greedy(*e.engine, ids, *o.greedy));
  return write_out(fmt::format("[{}]\n", fmt::join(next, ", ")));
}

}  // namespace nibble::cli
