// eval --text: perplexity on a text, and how far the model is from another one.
#include <string>

#include "cli/eval.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/base/json.h"
#include "core/pipeline/divergence.h"

namespace nibble::cli {
namespace {

std::string to_text(const EvalOptions& o, const Perplexity& p, double speed) {
  return fmt::format(
      "perplexity {:.4f} +/- {:.4f}\n"
      "{} predictions in {} windows of {} tokens, {:.1f} tokens/s\n",
      p.perplexity, p.std_error, p.n_scored, p.n_windows, o.n_ctx, speed);
}

std::string to_text(const EvalOptions& o, const Divergence& d, double speed) {
  return fmt::format(
             "KL divergence  mean {:.6f} +/- {:.6f}, median {:.6f}, 99 % {:.6f}, "
             "99.9 % {:.6f}, largest {:.6f}\n"
             "same top token {:.3f} % +/- {:.3f} %\n"
             "reference's perplexity {:.4f} +/- {:.4f}\n",
             d.kl_mean, d.kl_std_error, d.kl_median, d.kl_p99, d.kl_p999, d.kl_max, 100 * d.top1,
             100 * d.top1_std_error, d.reference.perplexity, d.reference.std_error) +
         to_text(o, d.model, speed);
}

Json to_json(const EvalOptions& o, const Perplexity& p, const EvalWindows& windows, double speed) {
  return {
      {"perplexity", p.perplexity}, {"std_error", p.std_error},  {"tokens", windows.tokens.size()},
      {"scored", p.n_scored},       {"windows", p.n_windows},    {"context", o.n_ctx},
      {"exact", o.exact},           {"tokens_per_second", speed}};
}

Json to_json(const EvalOptions& o, const Divergence& d, const EvalWindows& windows, double speed) {
  Json out = to_json(o, d.model, windows, speed);
  out.update({{"reference", o.against},
              {"reference_perplexity", d.reference.perplexity},
              {"reference_std_error", d.reference.std_error}});
  out.update(to_json(d));
  return out;
}

struct TextModel {
  TextSource source;
  EvalWindows windows;
};
Result<TextModel> open_text_model(const std::string& model, std::string_view text, int n_ctx) {
  TextModel m;
  NIBBLE_TRY(m.source, open_text_source(model));
  NIBBLE_CHECK(open_weights(m.source));
  NIBBLE_TRY(m.windows, make_windows(*m.source.tokenizer, text, n_ctx));
  return m;
}

template <class T>
Result<void> print(const EvalOptions& o, const T& result, const EvalWindows& windows,
                   double start) {
  const double speed = static_cast<double>(windows.tokens.size()) / (now_s() - start);
  return write_out(o.json ? dump_json(to_json(o, result, windows, speed), 1) + "\n"
                          : to_text(o, result, speed));
}

}  // namespace

Result<void> eval_text(const EvalOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(o.text));
  NIBBLE_TRY(TextModel m, open_text_model(o.model, text, o.n_ctx));
  ThreadPool pool(o.threads());
  NIBBLE_TRY(const Evaluation e, prepare(o, std::move(m.source.file), pool, o.n_ctx, o.exact));
  Progress progress;
  auto show = [&](int done, int total, double so_far) {
    return progress.show(fmt::format("perplexity {:.4f}, window", so_far), done, total, "windows");
  };
  const double start = now_s();
  NIBBLE_TRY(const Perplexity p, eval_perplexity(*e.engine, m.windows, show));
  progress.wipe();
  return print(o, p, m.windows, start);
}

Result<void> eval_against(const EvalOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(o.text));
  NIBBLE_TRY(TextModel m, open_text_model(o.model, text, o.n_ctx));
  NIBBLE_TRY(TextModel r, open_text_model(o.against, text, o.n_ctx));
  if (m.windows.tokens != r.windows.tokens)
    return invalid_input("{} and {} do not share a vocabulary: the text has other tokens",
                         one_line(o.model), one_line(o.against));
  ThreadPool pool(o.threads());
  NIBBLE_TRY(const Evaluation e, prepare(o, std::move(m.source.file), pool, o.n_ctx, o.exact));
  EvalOptions plain = o;
  plain.kv_type.reset();
  plain.lora.clear();
  NIBBLE_TRY(const Evaluation ref,
             prepare(plain, std::move(r.source.file), pool, o.n_ctx, o.exact));
  if (e.model->n_vocab() != ref.model->n_vocab())
    return invalid_input("{} and {} do not share a vocabulary: {} and {} tokens", one_line(o.model),
                         one_line(o.against), e.model->n_vocab(), ref.model->n_vocab());
  Progress progress;
  auto show = [&](int done, int total, double so_far) {
    return progress.show(fmt::format("KL {:.5f}, window", so_far), done, total, "windows");
  };
  const double start = now_s();
  NIBBLE_TRY(const Divergence d, eval_divergence(*e.engine, *ref.engine, m.windows, pool, show));
  progress.wipe();
  return print(o, d, m.windows, start);
}

}  // namespace nibble::cli
