// One prompt, one answer, the end.
#include "cli/run_answer.h"
#include "cli/run_setup.h"

namespace nibble::cli {
namespace {

Result<Prompt> make_prompt(const RunOptions& o, const TextSource& source, const std::string& text) {
  NIBBLE_TRY(const PromptMaker maker, PromptMaker::create(o, source));
  if (!maker.has_template()) {
    if (!o.raw) notice("no chat template (a base model): the prompt is continued as it stands");
    if (o.system)
      return fail(ErrorKind::kUsage,
                  "without a chat template there is no place for a system prompt (-s)");
    return maker.plain(text);
  }
  Json messages = Json::array();
  if (o.system) messages.push_back(message("system", *o.system));
  messages.push_back(message("user", text));
  return maker.conversation(messages);
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
  NIBBLE_TRY(const Prompt prompt, make_prompt(o, source, text));
  if (o.show_prompt) return show_prompt(prompt, o.json);
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const SamplerSettings settings, sampler_settings(o.sampling, source));
  NIBBLE_TRY(const ReadyModel ready, make_ready(o, source, settings, prompt.ids.size()));
  const RunFacts facts{.model = source.path.string(),
                       .seed = settings.seed,
                       .n_ctx = ready.engine->n_ctx(),
                       .start_s = process_start_s(),
                       .weights = ready.weights,
                       .file = source.file.get()};
  AnswerWriter writer(o, facts);
  NIBBLE_TRY(const Answer answer, stream_answer(*ready.session, prompt, answer_limits(o), writer));
  if (!quiet()) write_err(statistics(answer, facts));
  return judge(answer, facts.n_ctx);
}

}  // namespace nibble::cli
