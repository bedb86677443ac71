#include "cli/run_output.h"

#include <unistd.h>

namespace nibble::cli {

std::string statistics(const Answer& a, const RunFacts& facts) {
  std::string out = fmt::format("prompt {} tokens", a.n_prompt);
  if (a.n_prefilled < a.n_prompt) out += fmt::format(" ({} new)", a.n_prefilled);
  out += fmt::format(" in {:.2f} s, {:.1f}/s", a.prefill_s, a.prefill_speed());
  if (a.first_token_at_s > 0)
    out += fmt::format("; first token after {:.2f} s", a.first_token_at_s - facts.start_s);
  out +=
      fmt::format("; {} tokens in {:.2f} s, {:.1f}/s", a.ids.size(), a.decode_s, a.decode_speed());
  if (const auto& s = a.speculation)
    out +=
        fmt::format("; drafted {}, accepted {}, gain {:.2f}", s->n_drafted, s->n_accepted, s->gain);
  return out + fmt::format("; seed {}\n", facts.seed);
}

Json to_json(const Answer& a, const RunFacts& facts) {
  const double first_s = a.first_token_at_s > 0 ? a.first_token_at_s - facts.start_s : 0;
  Json out = {{"text", a.text},
              {"reason", to_string(a.reason)},
              {"tokens", a.ids},
              {"n_tokens", a.ids.size()},
              {"n_prompt", a.n_prompt},
              {"n_context", facts.n_ctx},
              {"seed", facts.seed},
              {"model", facts.model},
              {"timing",
               {{"prefill_seconds", a.prefill_s},
                {"prefill_tokens_per_second", a.prefill_speed()},
                {"first_token_seconds", first_s},  // since the process started
                {"decode_seconds", a.decode_s},
                {"decode_tokens_per_second", a.decode_speed()}}}};
  if (const auto& s = a.speculation)
    out["speculation"] = {
        {"drafted", s->n_drafted}, {"accepted", s->n_accepted}, {"gain", s->gain}};
  if (facts.file) out["weights"] = to_json(facts.weights, *facts.file);
  return out;
}

Result<void> AnswerWriter::begin(size_t n_prompt) {
  if (!options_.events) return {};
  return line({{"event", "start"},
               {"model", facts_.model},
               {"n_prompt", n_prompt},
               {"n_context", facts_.n_ctx},
               {"seed", facts_.seed}});
}

Result<void> AnswerWriter::token(TokenId id, std::string_view text) {
  if (options_.json) return {};
  if (!options_.events) {
    if (!text.empty()) at_line_start_ = text.ends_with('\n');
    return text.empty() ? Result<void>{} : write_out(text);
  }
  Json event = {{"event", "token"}};
  if (id >= 0) event["id"] = id;
  event["text"] = text;
  return line(event);
}

Result<void> AnswerWriter::end(const Answer& answer) {
  if (options_.json) return write_out(dump_json(to_json(answer, facts_), 1) + "\n");
  if (options_.events) {
    Json event = {{"event", "end"}};
    event.update(to_json(answer, facts_));
    return line(event);
  }
  if (!at_line_start_ && is_terminal(STDOUT_FILENO)) return write_out("\n");
  return {};
}

}  // namespace nibble::cli
