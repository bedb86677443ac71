// One prompt, one answer, the end.
#include "cli/run_answer.h"
#include "cli/run_setup.h"
#include "cli/truncate.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

// Told once the model is known to load, since a refusal is one line.
void tell_of_no_template(const RunOptions& o, const PromptMaker& maker) {
  if (!maker.has_template() && !o.raw)
    notice("no chat template (a base model): the prompt is continued as it stands");
}

Result<Prompt> make_prompt(const RunOptions& o, const PromptMaker& maker, const std::string& text) {
  if (!maker.has_template()) return maker.plain(text);
  Json messages = Json::array();
  if (o.system) messages.push_back(message("system", *o.system));
  messages.push_back(message("user", text));
  return maker.conversation(messages);
}

// --truncate: the prompt of as much of text as fits; returns how many tokens were dropped.
Result<size_t> shorten(const RunOptions& o, const PromptMaker& maker, const Model& model,
                       const std::string& text, Prompt& prompt) {
  const size_t n_all = prompt.ids.size(), n_most = most_prompt_tokens(o, model);
  if (n_all <= n_most) return 0;
  const auto keep = o.truncate == "keep-head" ? Truncate::kKeepHead : Truncate::kKeepTail;
  const auto make = [&](const std::string& part) { return make_prompt(o, maker, part); };
  NIBBLE_TRY(prompt, longest_prompt(make, text, keep, n_most));
  const size_t n_dropped = n_all - prompt.ids.size();
  notice("{} of the prompt's {} tokens were dropped (--truncate {})", n_dropped, n_all, o.truncate);
  return n_dropped;
}

Result<void> show_prompt(const Prompt& prompt, bool json) {
  if (json) return write_out(dump_json({{"text", prompt.text}, {"ids", prompt.ids}}) + "\n");
  return write_out(prompt.text + "\n" + dump_json(Json(prompt.ids)) + "\n");
}

// What an answer that did not end by itself means for the exit code.
Result<void> judge(const Answer& answer, int n_ctx) {
  if (answer.reason == EndReason::kInterrupted) return fail(ErrorKind::kInterrupted, "interrupted");
  if (answer.reason == EndReason::kContextFull)
    return fail(ErrorKind::kContextFull,
                "the context of {} tokens is full before the answer ended; pass a larger -c, or -n "
                "to end earlier",
                n_ctx);
  return {};
}

}  // namespace

Result<void> run_one_shot(const RunOptions& o, const std::string& text) {
  NIBBLE_TRY(TextSource source, open_text_source(o.model));
  NIBBLE_TRY(const PromptMaker maker, PromptMaker::create(o, source));
  if (o.system && !maker.has_template())
    return fail(ErrorKind::kUsage,
                "without a chat template there is no place for a system prompt (-s)");
  NIBBLE_TRY(Prompt prompt, make_prompt(o, maker, text));
  if (o.show_prompt) {
    tell_of_no_template(o, maker);
    return show_prompt(prompt, o.json);
  }
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const SamplerSettings settings, sampler_settings(o.sampling, source));
  NIBBLE_TRY(auto model, load_model(o, source));
  tell_of_no_template(o, maker);
  std::optional<size_t> n_dropped;
  if (!o.truncate.empty()) {
    NIBBLE_TRY(n_dropped, shorten(o, maker, *model, text, prompt));
  }
  NIBBLE_TRY(const ReadyModel ready,
             make_ready(o, source, std::move(model), settings, prompt.ids.size()));
  const RunFacts facts{.model = source.path.string(),
                       .seed = settings.seed,
                       .n_ctx = ready.engine->n_ctx(),
                       .n_dropped = n_dropped,
                       .thought_open = opens_thought(prompt.text),
                       .start_s = process_start_s(),
                       .weights = ready.weights,
                       .file = source.file.get()};
  AnswerWriter writer(o, facts);
  NIBBLE_TRY(const Answer answer, stream_answer(*ready.session, prompt, answer_limits(o), writer));
  if (!quiet()) write_err(statistics(answer, facts));
  return judge(answer, facts.n_ctx);
}

}  // namespace nibble::cli
