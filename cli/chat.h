// A chat: messages, answers and the commands between them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/line_editor.h"
#include "cli/run_answer.h"
#include "cli/run_setup.h"

namespace nibble::cli {

class Chat {
 public:
  // options, source and maker must outlive the chat.
  Chat(const RunOptions& options, const TextSource& source, const PromptMaker& maker,
       ReadyModel ready, const SamplerSettings& settings);
  Result<void> run();

 private:
  Result<void> say(const std::string& text);  // as the user, and answers
  Result<void> say_edited(const std::string& begun,
                          TerminalMode& mode);    // what $EDITOR makes of it
  Result<void> answer(const Json& before);        // to the messages as they are, else they are
                                                  // what they were before
  Result<bool> command(const std::string& line);  // false: leave
  Result<void> regenerate();
  void remember_answer();
  Result<Prompt> make_room(Prompt prompt);
  void set(const std::string& arguments);
  void clear();
  Json conversation() const;  // with the system prompt
  void tell_fullness();

  const RunOptions& options_;
  const PromptMaker& maker_;
  ReadyModel ready_;
  AnswerLimits limits_;
  RunFacts facts_;
  Json messages_ = Json::array();
  std::optional<std::string> system_;
  std::optional<Answer> last_;
};

}  // namespace nibble::cli
