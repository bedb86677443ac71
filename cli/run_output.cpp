#include "cli/run_output.h"

#include <unistd.h>

#include "core/base/json.h"

namespace nibble::cli {

std::string statistics(const Answer& a, const RunFacts& facts) {
  std::string out = fmt::format("prompt {} tokens", a.n_prompt);
  if (a.ended_in_prompt())
    out += fmt::format(" (stopped after {})", a.n_prefilled);
  else if (a.n_prefilled < a.n_prompt)
    out += fmt::format(" ({} new)", a.n_prefilled);
  out += fmt::format(" in {:.2f} s, {:.1f}/s", a.prefill_s, a.prefill_speed());
  if (a.first_token_at_s > 0)
    out += fmt::format("; first token after {:.2f} s", a.first_token_at_s - facts.start_s);
  out +=
      fmt::format("; {} tokens in {:.2f} s, {:.1f}/s", a.ids.size(), a.decode_s, a.decode_speed());
  if (const auto& s = a.speculation)
    out +=
        fmt::format("; drafted {}, accepted {}, gain {:.2f}", s->n_drafted, s->n_accepted, s->gain);
  return out + fmt::format("; seed {}\n", a.seed);
}

Json to_json(const Answer& a, const RunFacts& facts) {
  const double first_s = a.first_token_at_s > 0 ? a.first_token_at_s - facts.start_s : 0;
  Json out = {{"text", a.text},
              {"reason", to_string(a.reason)},
              {"tokens", a.ids},
              {"n_tokens", a.ids.size()},
              {"n_prompt", a.n_prompt},
              {"n_prefilled", a.n_prefilled},
              {"n_context", facts.n_ctx},
              {"seed", a.seed},
              {"model", facts.model},
              {"timing",
               {{"prefill_seconds", a.prefill_s},
                {"prefill_tokens_per_second", a.prefill_speed()},
                {"first_token_seconds", first_s},  // since the process started
                {"decode_seconds", a.decode_s},
                {"decode_tokens_per_second", a.decode_speed()}}}};
  const auto parts = split_thought(a.text, facts.thought_open);
  out["reasoning"] = parts.reasoning;
  out["content"] = parts.content;
  if (facts.n_dropped) out["dropped_tokens"] = *facts.n_dropped;
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

Result<void> AnswerWriter::text(std::string_view text) {
  if (text.empty()) return {};
  at_line_start_ = text.ends_with('\n');
  return write_out(text);
}

Result<void> AnswerWriter::parts(TokenId id, const ThinkStream::Parts& parts) {
  if (options_.events) {
    Json event = {{"event", "token"}};
    if (id >= 0) event["id"] = id;
    if (!parts.reasoning.empty()) event["reasoning"] = parts.reasoning;
    event["text"] = parts.content;
    return line(event);
  }
  if (options_.think == "only-stderr" && !quiet()) write_err(parts.reasoning);
  return text(parts.content);
}

Result<void> AnswerWriter::token(TokenId id, std::string_view shown) {
  if (options_.json) return {};
  if (split_) return parts(id, thought_.add(shown));
  return options_.events ? parts(id, {"", std::string(shown)}) : text(shown);
}

Result<void> AnswerWriter::end(const Answer& answer) {
  if (split_ && !options_.json) {
    const auto rest = thought_.finish();
    if (!rest.reasoning.empty() || !rest.content.empty()) NIBBLE_CHECK(parts(-1, rest));
  }
  if (options_.json || options_.events) {
    Json document = options_.events ? Json{{"event", "end"}} : Json::object();
    document.update(to_json(answer, facts_));
    if (split_) document["text"] = document["content"];
    return write_out(dump_json(document, options_.json ? 1 : -1) + "\n");
  }
  if (options_.think == "only-stderr" && !quiet()) write_err("\n");
  if (!at_line_start_ && is_terminal(STDOUT_FILENO)) return write_out("\n");
  return {};
}

}  // namespace nibble::cli
