// Multiple-choice questions: the answer that the model thinks likeliest is its choice, by the
// log-likelihood of the answer's text as it is, and by that divided by its bytes, as accuracies
// are given since Brown 2020 (arXiv:2005.14165) and EleutherAI's evaluation harness.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/engine.h"

namespace nibble {

struct ChoiceQuestion {
  int line = 0;  // in the file, from 1
  std::string context;
  std::vector<std::string> choices;  // two or more; what separates them from the context included
  int answer = 0;
};
// One JSON object a line, empty lines left out: "question" or "context", a text; "choices", a list
// of texts; "answer", a number from 0 or a letter from "A". Where neither side has white space a
// space stands between context and choice. Fails (kInvalidInput), naming the line.
Result<std::vector<ChoiceQuestion>> read_questions(std::string_view jsonl);

struct ChoiceScores {
  std::vector<double> log_likelihood;     // of each choice
  int chosen = 0, chosen_normalized = 0;  // the lowest of equals
};
struct ChoiceResult {
  std::vector<ChoiceScores> questions;
  double accuracy = 0, accuracy_std_error = 0;
  double normalized = 0, normalized_std_error = 0;  // by length
};

// Questions as tokens: of each choice the whole text, and how many tokens of it are the context's.
struct TokenizedChoice {
  std::vector<TokenId> tokens;
  int first_scored = 0;
};
struct TokenizedQuestions {
  std::vector<std::vector<TokenizedChoice>> choices;  // [question][choice]
  int most_tokens = 0;                                // that a context must hold
};
// Fails (kInvalidInput) where nothing stands before a choice's first token.
Result<TokenizedQuestions> tokenize_questions(const Tokenizer& tokenizer,
                                              const std::vector<ChoiceQuestion>& questions);

// progress(questions done, questions, accuracy so far); false: kInterrupted.
using ChoiceProgress = FunctionRef<bool(int done, int total, double so_far)>;
Result<ChoiceResult> eval_choices(Engine& engine, const std::vector<ChoiceQuestion>& questions,
                                  const TokenizedQuestions& tokens, ChoiceProgress progress);

}  // namespace nibble
