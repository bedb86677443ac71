// See multiple_choice.h.
#include "core/pipeline/multiple_choice.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "core/pipeline/evaluate.h"

namespace nibble {
namespace {

constexpr std::string_view kSpaces = " \t\n\r";
constexpr size_t kMaxChoices = 26;

std::unexpected<Error> bad_line(int line, std::string_view what) {
  return invalid_input("line {}: {}", line, what);
}

Result<std::string> read_context(const Json& object, int line) {
  for (const char* key : {"question", "context"})
    if (const auto at = object.find(key); at != object.end()) {
      if (!at->is_string()) return bad_line(line, fmt::format("'{}' is not a text", key));
      return at->get<std::string>();
    }
  return bad_line(line, "neither 'question' nor 'context'");
}

Result<int> read_answer(const Json& object, int line, size_t n_choices) {
  const auto at = object.find("answer");
  if (at == object.end()) return bad_line(line, "no 'answer'");
  int64_t answer = -1;
  if (at->is_number_integer()) answer = at->get<int64_t>();
  if (at->is_string() && at->get<std::string>().size() == 1)
    answer = at->get<std::string>()[0] - 'A';
  if (answer < 0 || std::cmp_greater_equal(answer, n_choices))
    return bad_line(line, fmt::format("'answer' is {}, expected 0..{} or \"A\"..\"{}\"",
                                      printable(dump_json(*at), 40), n_choices - 1,
                                      static_cast<char>('A' + n_choices - 1)));
  return static_cast<int>(answer);
}

// The space between context and choice.
std::string separator(std::string_view context, std::string_view choice) {
  const bool apart =
      context.empty() || kSpaces.contains(context.back()) || kSpaces.contains(choice.front());
  return apart ? "" : " ";
}

Result<ChoiceQuestion> read_question(std::string_view text, int line) {
  const auto object = parse_json(text);
  if (!object) return bad_line(line, object.error().message);
  if (!object->is_object()) return bad_line(line, "no JSON object");
  ChoiceQuestion q{.line = line, .context = {}, .choices = {}};
  NIBBLE_TRY(q.context, read_context(*object, line));
  const auto choices = object->find("choices");
  if (choices == object->end() || !choices->is_array() || choices->size() < 2 ||
      choices->size() > kMaxChoices)
    return bad_line(line, fmt::format("'choices' is no list of 2 to {} texts", kMaxChoices));
  for (const Json& choice : *choices) {
    if (!choice.is_string() || choice.get<std::string>().empty())
      return bad_line(line, "a choice is no text");
    const auto words = choice.get<std::string>();
    q.choices.push_back(separator(q.context, words) + words);
  }
  NIBBLE_TRY(q.answer, read_answer(*object, line, q.choices.size()));
  return q;
}

// Where two sequences part.
int common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<int>(std::ranges::mismatch(a, b).in1 - a.begin());
}

int best(const std::vector<double>& values) {
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

// Of the scored tokens, behind those before them.
Result<double> log_likelihood(Engine& engine, const TokenizedChoice& choice) {
  const int first = choice.first_scored - 1;  // whose logits are wanted first
  const auto tokens = std::span(choice.tokens);
  const int n = engine.keep_prefix(tokens.first(static_cast<size_t>(first)));
  double sum = 0;
  const auto sink = [&](int i, std::span<const float> logits) {
    const size_t next = static_cast<size_t>(n + i) + 1;
    if (next < tokens.size()) sum -= negative_log_probability(logits, tokens[next]);
    return true;
  };
  NIBBLE_CHECK(engine.prefill_all(tokens.subspan(static_cast<size_t>(n)), first - n, sink));
  return sum;
}

Result<ChoiceScores> score(Engine& engine, const ChoiceQuestion& q,
                           const std::vector<TokenizedChoice>& choices) {
  ChoiceScores scores;
  std::vector<double> normalized;
  for (size_t i = 0; i < choices.size(); ++i) {
    NIBBLE_TRY(const double sum, log_likelihood(engine, choices[i]));
    scores.log_likelihood.push_back(sum);
    normalized.push_back(sum / static_cast<double>(q.choices[i].size()));
  }
  scores.chosen = best(scores.log_likelihood);
  scores.chosen_normalized = best(normalized);
  return scores;
}

double share_error(double share, size_t n) {
  return n > 1 ? std::sqrt(share * (1 - share) / static_cast<double>(n - 1)) : 0;
}

}  // namespace

Result<std::vector<ChoiceQuestion>> read_questions(std::string_view jsonl) {
  std::vector<ChoiceQuestion> questions;
  for (int line = 1; !jsonl.empty(); ++line) {
    const size_t end = std::min(jsonl.find('\n'), jsonl.size());
    const std::string_view text = jsonl.substr(0, end);
    jsonl.remove_prefix(std::min(end + 1, jsonl.size()));
    if (text.find_first_not_of(kSpaces) == std::string_view::npos) continue;
    NIBBLE_TRY(questions.emplace_back(), read_question(text, line));
  }
  if (questions.empty()) return invalid_input("no questions");
  return questions;
}

Result<TokenizedQuestions> tokenize_questions(const Tokenizer& tokenizer,
                                              const std::vector<ChoiceQuestion>& questions) {
  const auto encode = [&](const std::string& text) {
    return tokenizer.encode(text, {.add_special = true, .parse_special = false});
  };
  TokenizedQuestions out;
  for (const ChoiceQuestion& q : questions) {
    NIBBLE_TRY(const auto context, encode(q.context));
    auto& choices = out.choices.emplace_back();
    for (const std::string& choice : q.choices) {
      TokenizedChoice& c = choices.emplace_back();
      NIBBLE_TRY(c.tokens, encode(q.context + choice));
      c.first_scored =
          std::min(common_prefix(context, c.tokens), static_cast<int>(c.tokens.size()) - 1);
      if (c.first_scored < 1)
        return bad_line(q.line, "the context has no tokens, and the model puts none before it");
      out.most_tokens = std::max(out.most_tokens, static_cast<int>(c.tokens.size()));
    }
  }
  return out;
}

Result<ChoiceResult> eval_choices(Engine& engine, const std::vector<ChoiceQuestion>& questions,
                                  const TokenizedQuestions& tokens, ChoiceProgress progress) {
  ChoiceResult result;
  double n_right = 0, n_right_normalized = 0;
  NIBBLE_CHECK(engine.rewind(0));
  for (size_t i = 0; i < questions.size(); ++i) {
    NIBBLE_TRY(auto scores, score(engine, questions[i], tokens.choices[i]));
    n_right += scores.chosen == questions[i].answer;
    n_right_normalized += scores.chosen_normalized == questions[i].answer;
    result.questions.push_back(std::move(scores));
    const double n = static_cast<double>(i + 1);
    result.accuracy = n_right / n;
    result.normalized = n_right_normalized / n;
    if (!progress(static_cast<int>(i + 1), static_cast<int>(questions.size()), result.accuracy))
      return fail(ErrorKind::kInterrupted, "interrupted");
  }
  result.accuracy_std_error = share_error(result.accuracy, questions.size());
  result.normalized_std_error = share_error(result.normalized, questions.size());
  return result;
}

}  // namespace nibble
