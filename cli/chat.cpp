#include "cli/chat.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "cli/external_editor.h"
#include "cli/signals.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

constexpr double kNearlyFull = 0.9;
constexpr const char* kHelp =
    "  /clear           forget the conversation\n"
    "  /regen           answer the last message anew\n"
    "  /system TEXT     set the system prompt and forget the conversation; alone: show it\n"
    "  /set NAME VALUE  a setting of the sampler, the seed, or max-tokens; alone: show them\n"
    "  /stats           numbers of the last answer and the context\n"
    "  /edit TEXT       write a message in $EDITOR, beginning with TEXT\n"
    "  /help            this list\n"
    "  /exit            leave, as Ctrl-D does\n"
    "  //TEXT           a message that begins with /\n"
    "Enter sends, Alt-Enter begins a new line, Up and Ctrl-R bring back messages, Ctrl-C stops an "
    "answer.\n";

// The command of a line, "/name" at its front; empty: the line is a message.
std::string_view command_name(std::string_view line) {
  if (!line.starts_with('/') || line.size() < 2) return {};
  const std::string_view name = line.substr(0, line.find_first_of(" \n"));
  for (const char c : name.substr(1))
    if (c < 'a' || c > 'z') return {};
  return name;
}

std::string arguments_of(std::string_view line) {
  const size_t space = line.find_first_of(" \n");
  const size_t begin =
      space == std::string_view::npos ? space : line.find_first_not_of(" \n", space);
  return begin == std::string_view::npos ? "" : std::string(line.substr(begin));
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  T parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  value = parsed;
  return true;
}

// Sets what /set names; says what is wrong, or nothing.
std::string set_one(SamplerSettings& s, AnswerLimits& limits, std::string_view name,
                    std::string_view value) {
  constexpr const char* kNoWhole = "expected a whole number";
  if (name == "seed") return parse_number(value, s.seed) ? "" : kNoWhole;
  if (name == "max-tokens") return parse_number(value, limits.max_tokens) ? "" : kNoWhole;
  const auto* setting = std::ranges::find(kSamplerSettings, name, &SamplerSetting::name);
  if (setting == std::end(kSamplerSettings)) return "no such name; /set alone lists them";
  double number = 0;
  if (!parse_number(value, number) || !setting->takes(number))
    return "expected " + setting->expected();
  setting->set(s, number);
  return {};
}

}  // namespace

Chat::Chat(const RunOptions& options, const TextSource& source, const PromptMaker& maker,
           ReadyModel ready, const SamplerSettings& settings)
    : options_(options),
      maker_(maker),
      ready_(std::move(ready)),
      limits_(answer_limits(options)),
      facts_{.model = source.path.string(), .seed = settings.seed, .n_ctx = ready_.engine->n_ctx()},
      system_(options.system) {}

Result<void> Chat::run() {
  TerminalMode mode;
  LineEditor editor;
  while (true) {
    const LineEditor::Line line = editor.read("> ", mode);
    if (line.end == LineEditor::End::kEndOfInput) return {};
    if (line.end == LineEditor::End::kCancelled) {
      write_err("(Ctrl-D or /exit leaves)\n");
      continue;
    }
    if (line.text.find_first_not_of(" \t\n") == std::string::npos) continue;
    if (command_name(line.text) == "/edit") {
      NIBBLE_CHECK(say_edited(arguments_of(line.text), mode));
      continue;
    }
    if (!command_name(line.text).empty()) {
      NIBBLE_TRY(const bool stay, command(line.text));
      if (!stay) return {};
      continue;
    }
    NIBBLE_CHECK(say(line.text.starts_with("//") ? line.text.substr(1) : line.text));
  }
}

Json Chat::conversation() const {
  Json all = Json::array();
  if (system_) all.push_back(message("system", *system_));
  for (const Json& one : messages_) all.push_back(one);
  return all;
}

Result<void> Chat::say_edited(const std::string& begun, TerminalMode& mode) {
  mode.leave();
  const auto text = edit_externally(begun);
  mode.answering();
  if (!text) {
    write_err(fmt::format("nibble: /edit: {}\n", one_line(text.error().message)));
    return {};
  }
  if (text->find_first_not_of(" \t\n") == std::string::npos) return {};
  write_err("> " + *text + "\n");
  return say(*text);
}

Result<void> Chat::say(const std::string& text) {
  const Json before = messages_;
  messages_.push_back(message("user", text));
  return answer(before);
}

// --on-full drop-oldest: forgets whole turns until a quarter of the context is free.
Result<Prompt> Chat::make_room(Prompt prompt) {
  size_t n_dropped = 0;
  while (prompt.ids.size() > static_cast<size_t>(facts_.n_ctx - facts_.n_ctx / 4)) {
    size_t n = 1;
    while (n < messages_.size() && messages_[n]["role"] != "user") ++n;
    if (n == messages_.size()) break;  // the last message is all there is
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(n));
    n_dropped += n;
    NIBBLE_TRY(prompt, maker_.conversation(conversation()));
  }
  if (n_dropped > 0) notice("the oldest {} messages were forgotten to make room", n_dropped);
  return prompt;
}

Result<void> Chat::answer(const Json& before) {
  auto prompt = maker_.conversation(conversation());
  if (prompt && options_.on_full == "drop-oldest") prompt = make_room(std::move(*prompt));
  const bool fits = prompt && std::cmp_less_equal(prompt->ids.size(), facts_.n_ctx);
  if (!fits) {
    messages_ = before;
    write_err(prompt ? fmt::format("nibble: with this message the chat has {} tokens, the context "
                                   "holds {}; it was taken "
                                   "back: /clear begins anew, -c gives more room\n",
                                   prompt->ids.size(), facts_.n_ctx)
                     : fmt::format("nibble: {}; the message was taken back\n",
                                   one_line(prompt.error().message)));
    return {};
  }
  facts_.start_s = now_s();
  facts_.thought_open = opens_thought(prompt->text);
  AnswerWriter writer(options_, facts_);
  NIBBLE_TRY(last_, stream_answer(*ready_.session, *prompt, limits_, writer));
  if (last_->ended_in_prompt())
    messages_ = before;
  else
    remember_answer();
  if (last_->reason == EndReason::kInterrupted) {
    if (pending_signal() != SIGINT) return fail(ErrorKind::kInterrupted, "terminated");
    clear_pending_signal();
    write_err(last_->ended_in_prompt() ? "(stopped before the answer: the message was taken back)\n"
                                       : "(stopped)\n");
  }
  tell_fullness();
  return {};
}

// Templates decide themselves whether earlier thoughts are told again.
void Chat::remember_answer() {
  const auto parts = split_thought(last_->text, facts_.thought_open);
  Json answer = message("assistant", parts.content);
  if (!parts.reasoning.empty()) answer["reasoning_content"] = parts.reasoning;
  messages_.push_back(answer);
}

void Chat::tell_fullness() {
  const int n_used = ready_.session->n_cached();
  if (last_->reason == EndReason::kContextFull)
    write_err(
        fmt::format("nibble: the context of {} tokens is full, the answer stopped there; /clear "
                    "begins anew, -c gives "
                    "more room\n",
                    facts_.n_ctx));
  else if (n_used >= kNearlyFull * facts_.n_ctx)
    notice("{} of {} tokens of the context are used; /clear begins anew", n_used, facts_.n_ctx);
}

Result<bool> Chat::command(const std::string& line) {
  const std::string_view name = command_name(line);
  const std::string arguments = arguments_of(line);
  if (name == "/exit" || name == "/quit" || name == "/bye") return false;
  if (name == "/help") {
    write_err(kHelp);
  } else if (name == "/clear") {
    clear();
  } else if (name == "/regen") {
    NIBBLE_CHECK(regenerate());
  } else if (name == "/system") {
    if (arguments.empty()) {
      write_err(system_.value_or("(no system prompt)") + "\n");
    } else {
      system_ = arguments;
      clear();
    }
  } else if (name == "/set") {
    set(arguments);
  } else if (name == "/stats") {
    if (last_) write_err(statistics(*last_, facts_));
    write_err(fmt::format("context: {} of {} tokens\n", ready_.session->n_cached(), facts_.n_ctx));
  } else {
    write_err(fmt::format("no command {}; /help lists them, //{} sends it as a message\n", name,
                          name.substr(1)));
  }
  return true;
}

Result<void> Chat::regenerate() {
  const Json before = messages_;
  if (!messages_.empty() && messages_.back()["role"] == "assistant")
    messages_.erase(messages_.size() - 1);
  if (messages_.empty()) {
    write_err("(nothing to answer yet)\n");
    return {};
  }
  return answer(before);
}

void Chat::set(const std::string& arguments) {
  SamplerSettings& s = ready_.session->settings();
  const size_t space = std::min(arguments.find(' '), arguments.size());
  const std::string name = arguments.substr(0, space), value = arguments_of(arguments);
  if (name.empty()) {
    std::string all;
    for (const SamplerSetting& setting : kSamplerSettings)
      all += fmt::format("{} {}, ", setting.name, setting.text(s));
    write_err(fmt::format("{}seed {}, max-tokens {}\n", all, s.seed, limits_.max_tokens));
    return;
  }
  const std::string fault = set_one(s, limits_, name, value);
  if (!fault.empty()) write_err(fmt::format("(/set {}: {})\n", name, fault));
}

void Chat::clear() {
  messages_ = Json::array();
  last_.reset();
}

}  // namespace nibble::cli
