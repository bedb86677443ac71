// eval --multiple-choice: the share of questions that the model answers rightly.
#include "cli/eval.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/base/json.h"
#include "core/pipeline/multiple_choice.h"

namespace nibble::cli {
namespace {

std::string to_text(const ChoiceResult& r) {
  return fmt::format(
      "accuracy               {:.2f} % +/- {:.2f} %\n"
      "normalized by length   {:.2f} % +/- {:.2f} %\n"
      "{} questions\n",
      100 * r.accuracy, 100 * r.accuracy_std_error, 100 * r.normalized,
      100 * r.normalized_std_error, r.questions.size());
}

Json to_json(const std::vector<ChoiceQuestion>& questions, const ChoiceResult& r) {
  Json rows = Json::array();
  for (size_t i = 0; i < questions.size(); ++i)
    rows.push_back({{"line", questions[i].line},
                    {"answer", questions[i].answer},
                    {"chosen", r.questions[i].chosen},
                    {"chosen_normalized", r.questions[i].chosen_normalized},
                    {"log_likelihoods", r.questions[i].log_likelihood}});
  return {{"accuracy", r.accuracy},
          {"accuracy_std_error", r.accuracy_std_error},
          {"accuracy_normalized", r.normalized},
          {"accuracy_normalized_std_error", r.normalized_std_error},
          {"n_questions", questions.size()},
          {"questions", std::move(rows)}};
}

}  // namespace

Result<void> eval_questions(const EvalOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(o.questions));
  NIBBLE_TRY(const auto questions, in_input(o.questions, read_questions(text)));
  NIBBLE_TRY(TextSource source, open_text_source(o.model));
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const auto tokens,
             in_input(o.questions, tokenize_questions(*source.tokenizer, questions)));
  ThreadPool pool(o.threads());
  NIBBLE_TRY(const Evaluation e,
             prepare(o, std::move(source.file), pool, tokens.most_tokens, o.exact));
  Progress progress;
  auto show = [&](int done, int total, double so_far) {
    return progress.show(fmt::format("accuracy {:.1f} %,", 100 * so_far), done, total, "questions");
  };
  NIBBLE_TRY(const ChoiceResult result, eval_choices(*e.engine, questions, tokens, show));
  progress.wipe();
  return write_out(o.json ? dump_json(to_json(questions, result), 1) + "\n" : to_text(result));
}

}  // namespace nibble::cli
