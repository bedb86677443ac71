// nibble run: one answer, or a chat.
#include "cli/run.h"

#include <unistd.h>

#include <memory>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/lora.h"
#include "cli/output.h"

namespace nibble::cli {
namespace {

constexpr const char* kRunExamples =
    "Without -p and -f, a terminal on standard input starts a chat; otherwise standard input is "
    "the prompt.\n"
    "Of a file and of standard input one last newline is not part of the prompt.\n"
    "\n"
    "Examples:\n"
    "  nibble run -p \"The capital of France is\" -n 100      the installed model\n"
    "  nibble run model.gguf                         chat\n"
    "  nibble run model.gguf -s \"Answer in French.\" -p \"Good morning!\" --temp 0\n"
    "  nibble run model.gguf -p \"Summarize:\" -f report.txt -n 200 --quiet > summary.txt\n"
    "  nibble run base.gguf --raw -p \"Once upon a time\" --seed 7\n"
    "  nibble run model.gguf -p Hi --events          JSON lines, for programs\n";

void add_prompt_options(App& app, RunOptions& o) {
  const auto text = [&](const char* name, std::optional<std::string>& value, const char* what,
                        const char* type) {
    app.add_option(name, value, what)->type_name(type)->group("Prompt");
  };
  text("-p,--prompt", o.prompt, "The prompt", "TEXT");
  text("-f,--file", o.file,
       "A file with the prompt, - for standard input; with -p it follows on a new line", "FILE");
  text("-s,--system", o.system, "System prompt", "TEXT");
  app.add_flag("--raw", o.raw, "Continue the prompt as it stands, without chat template")
      ->group("Prompt");
  app.add_option("--chat-template-file", o.chat_template_file,
                 "A Jinja chat template in place of the model's own")
      ->type_name("FILE")
      ->group("Prompt");
  app.add_option("--truncate", o.truncate,
                 "Shorten a prompt that does not fit instead of refusing it: keep-head or "
                 "keep-tail of your text")
      ->type_name("WHAT")
      ->check(one_of({"keep-head", "keep-tail"}))
      ->group("Prompt");
  app.add_flag("--show-prompt", o.show_prompt,
               "Print the prompt as the model gets it, and its token ids; runs nothing")
      ->group("Prompt");
}

void add_length_options(App& app, RunOptions& o) {
  app.add_option("-n,--max-tokens", o.max_tokens,
                 "Maximum number of tokens to generate; -1: no limit")
      ->type_name("N")
      ->check(in_range(-1, 1 << 30))
      ->capture_default_str()
      ->group("Length");
  add_list(app, "--stop", o.stops, "End before this text; may be repeated")
      ->type_name("TEXT")
      ->group("Length");
  app.add_flag("--ignore-eos", o.ignore_eos, "Never end by the model's own end tokens")
      ->group("Length");
  app.add_option("-c,--context", o.n_ctx,
                 "Maximum number of tokens of prompt and answer together; 0: what the model was "
                 "trained for (default: that, at most 4096, more where the prompt needs it)")
      ->type_name("N")
      ->check(in_range(0, 1 << 24))
      ->group("Length");
}

void add_full_option(App& app, RunOptions& o) {
  app.add_option("--on-full", o.on_full,
                 "What a chat does when its context is full: stop, or drop-oldest, which forgets "
                 "the oldest turns but never the system prompt (default stop)")
      ->type_name("WHAT")
      ->check(one_of({"stop", "drop-oldest"}))
      ->group("Length");
}

void add_sampling_options(App& app, SamplingOptions& o) {
  for (size_t i = 0; i < o.values.size(); ++i) {
    const SamplerSetting& setting = kSamplerSettings[i];
    app.add_option(fmt::format("--{}", setting.name), o.values[i],
                   fmt::format("{} (default {})", setting.help, setting.text({})))
        ->type_name("X")
        ->group("Sampling");
  }
  app.add_option("--seed", o.seed,
                 "The same seed draws the same tokens; -1: a new one, which is told (default -1)")
      ->type_name("N")
      ->check(whole_number())
      ->group("Sampling");
}

void add_computing_options(App& app, RunOptions& o) {
  add_threads(app, o)->group("Computing");
  app.add_option("-b,--batch", o.n_batch, "Prompt tokens processed together")
      ->type_name("N")
      ->check(in_range(1, 1 << 16))
      ->capture_default_str()
      ->group("Computing");
  add_kv_type(app, o.kv_type)->capture_default_str()->group("Computing");
  add_weights_options(app, o.weights);
}

void add_speculation_options(App& app, RunOptions& o) {
  app.add_flag("--lookup", o.lookup,
               "Guess tokens from what the text says already; pays where answers quote or edit it")
      ->group("Speculation (no token changes)");
  app.add_option("--draft", o.draft, "Guess tokens with a smaller model of the same vocabulary")
      ->type_name("MODEL")
      ->group("Speculation (no token changes)");
}

void add_output_options(App& app, RunOptions& o) {
  app.add_option("--think", o.think,
                 "What a model thinks before it answers, in <think> tags: show, hide, only-stderr, "
                 "or off, which asks the template to have none")
      ->type_name("HOW")
      ->check(one_of({"show", "hide", "only-stderr", "off"}))
      ->capture_default_str()
      ->group("Output");
  app.add_flag("--json", o.json, "One JSON document at the end")->group("Output");
  app.add_flag("--events", o.events, "JSON lines while it runs: start, token, end")
      ->group("Output");
}

Result<void> check(const RunOptions& o) {
  const auto refuse = [](const char* what) -> Result<void> {
    return fail(ErrorKind::kUsage, "{}", what);
  };
  if (o.lookup && !o.draft.empty()) return refuse("--lookup and --draft exclude one another");
  if (o.json && o.events) return refuse("--json and --events exclude one another");
  if (o.raw && o.system) return refuse("--raw leaves no place for a system prompt (-s)");
  if (o.raw && o.think == "off") return refuse("--think off needs a chat template, --raw has none");
  if (o.show_prompt && !o.truncate.empty())
    return refuse("--show-prompt and --truncate exclude one another");
  if (o.show_prompt && o.events) return refuse("--show-prompt and --events exclude one another");
  if (o.raw && !o.chat_template_file.empty())
    return refuse("--raw and --chat-template-file exclude one another");
  if (o.file && o.file->empty()) return refuse("--file wants a text that is not empty");
  for (size_t i = 0; i < o.sampling.values.size(); ++i) {
    const auto& setting = kSamplerSettings[i];
    if (const auto value = o.sampling.values[i]; value && !setting.takes(*value))
      return fail(ErrorKind::kUsage, "--{}: {}, expected {}", setting.name, *value,
                  setting.expected());
  }
  return {};
}

Result<std::string> read_prompt_file(const std::string& path) {
  NIBBLE_TRY(std::string text, read_text(path));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

// The prompt of a one-shot run; nullopt: it is a chat.
Result<std::optional<std::string>> find_prompt(const RunOptions& o) {
  if (!o.prompt && !o.file && is_terminal(STDIN_FILENO)) return std::nullopt;
  std::string text = o.prompt.value_or("");
  if (o.file || !o.prompt) {
    NIBBLE_TRY(const std::string more, read_prompt_file(o.file.value_or("-")));
    text += (o.prompt ? "\n" : "") + more;
  }
  if (text.empty() && !(o.raw && o.prompt))
    return fail(ErrorKind::kUsage,
                "the prompt is empty; pass -p TEXT, -f FILE, or text on standard input");
  return text;
}

Result<void> run_run(const RunOptions& o) {
  NIBBLE_CHECK(check(o));
  NIBBLE_TRY(const auto prompt, find_prompt(o));
  if (prompt && !o.on_full.empty())
    return fail(ErrorKind::kUsage, "--on-full is for chats; --truncate is for one prompt");
  if (prompt) return run_one_shot(o, *prompt);
  if (o.json || o.events || o.show_prompt || !o.truncate.empty())
    return fail(ErrorKind::kUsage,
                "--json, --events, --show-prompt and --truncate want a prompt: pass -p TEXT or "
                "-f FILE");
  return run_chat(o);
}

}  // namespace

Command setup_run(App& app) {
  App* command = add_command(app, "run", "Answer a prompt, or chat");
  auto o = std::make_shared<RunOptions>();
  command->add_option("MODEL", o->model,
                      "GGUF file, Hugging Face or Meta folder, or the name of an installed model; "
                      "none: the installed default");
  add_lora(*command, o->lora);
  add_prompt_options(*command, *o);
  add_length_options(*command, *o);
  add_full_option(*command, *o);
  add_sampling_options(*command, o->sampling);
  add_computing_options(*command, *o);
  add_speculation_options(*command, *o);
  add_output_options(*command, *o);
  command->footer(kRunExamples);
  return {command, [o] { return run_run(*o); }};
}

}  // namespace nibble::cli
