// nibble eval: perplexity on a text, or logits and greedy continuation of given tokens.
#include <fmt/ranges.h>

#include <charconv>
#include <memory>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/lora.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/weights_memory.h"
#include "core/base/json.h"
#include "core/base/thread_pool.h"
#include "core/models/model.h"
#include "core/pipeline/evaluate.h"
#include "formats/npy.h"

namespace nibble::cli {
namespace {

struct EvalOptions {
  std::string model;
  std::vector<std::string> lora;
  std::string text, token_ids, logits;
  std::optional<int> greedy;
  std::optional<std::string> kv_type;
  bool exact = false, fast = false, json = false;
  int n_ctx = 512;
  int n_batch = 512;
  int n_threads = 0;
  WeightsOptions weights;
};

constexpr const char* kExamples =
    "With --text the kernels are those of 'nibble run' unless --exact is given; with --token-ids "
    "they are exact unless\n"
    "--fast is given. Exact: weights as stored, float32 activations, attention and cache.\n"
    "\n"
    "Examples:\n"
    "  nibble eval model.gguf --text book.txt        perplexity, as llama-perplexity computes it\n"
    "  nibble eval model.gguf --token-ids 1,2,3 --logits logits.npy\n"
    "  nibble eval model.gguf --token-ids 1,2,3 --greedy 24\n";

Result<void> check(const EvalOptions& o) {
  const auto refuse = [](const char* what) -> Result<void> {
    return fail(ErrorKind::kUsage, "{}", what);
  };
  if (o.text.empty() == o.token_ids.empty())
    return refuse("pass either --text FILE or --token-ids IDS");
  if (o.exact && o.fast) return refuse("--exact and --fast exclude one another");
  if (o.kv_type && (o.exact || (o.text.empty() && !o.fast)))
    return refuse("--kv-type: exact results have an f32 cache; pass --fast for another one");
  if (!o.text.empty() && (!o.logits.empty() || o.greedy))
    return refuse("--logits and --greedy need --token-ids");
  if (!o.token_ids.empty() && o.logits.empty() == !o.greedy)
    return refuse("--token-ids needs one of --logits OUT.npy and --greedy N");
  return {};
}

Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    TokenId id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{})
      return fail(ErrorKind::kUsage, "--token-ids: expected a number at '{}'", text);
    ids.push_back(id);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) return ids;
    if (!text.starts_with(','))
      return fail(ErrorKind::kUsage, "--token-ids: expected a comma at '{}'", text);
    text.remove_prefix(1);
  }
}

// A model and an engine for it; they refer to one another.
struct Evaluation {
  std::unique_ptr<WeightFile> file;
  std::unique_ptr<Model> model;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Engine> engine;
};

Result<Evaluation> prepare(const EvalOptions& o, std::unique_ptr<WeightFile> file, int n_ctx,
                           bool exact) {
  Evaluation e{.file = std::move(file), .model = {}, .pool = {}, .engine = {}};
  NIBBLE_TRY(const LoraFiles lora, LoraFiles::open(o.lora));
  NIBBLE_TRY(Model model, Model::load(*e.file, lora.inputs()));
  e.model = std::make_unique<Model>(std::move(model));
  NIBBLE_TRY(const KvTypes kv_types, parse_kv_types(o.kv_type.value_or("f16")));
  NIBBLE_CHECK(place_weights(*e.file, o.weights));
  e.pool = std::make_unique<ThreadPool>(o.n_threads ? o.n_threads : default_threads());
  const EngineOptions options{
      .n_ctx = n_ctx, .n_batch = o.n_batch, .kv_types = kv_types, .exact = exact};
  NIBBLE_TRY(Engine engine, Engine::create(*e.model, *e.pool, options));
  e.engine = std::make_unique<Engine>(std::move(engine));
  return e;
}

Result<void> write_logits(const EvalOptions& o, Evaluation& e, const std::vector<TokenId>& ids) {
  NIBBLE_TRY(NpyWriter out, NpyWriter::create(o.logits, static_cast<int64_t>(ids.size()),
                                              e.model->n_vocab(), true));
  const SignalWatch watch;
  ProgressLine progress;
  Result<void> written;
  auto sink = [&](int index, std::span<const float> logits) {
    written = out.add_row(logits);
    progress.show("eval", index + 1, static_cast<double>(ids.size()), "tokens");
    return written.has_value() && pending_signal() == 0;
  };
  const auto done = eval_logits(*e.engine, ids, sink);
  NIBBLE_CHECK(written);
  NIBBLE_CHECK(done);
  NIBBLE_CHECK(out.finish());
  if (!o.json) return {};
  return write_out(
      dump_json({{"logits", o.logits}, {"tokens", ids.size()}, {"n_vocab", e.model->n_vocab()}}) +
      "\n");
}

Result<void> eval_tokens(const EvalOptions& o) {
  NIBBLE_TRY(const auto ids, parse_ids(o.token_ids));
  NIBBLE_TRY(const auto path, find_model(o.model));
  NIBBLE_TRY(auto file, open_weight_file(path));
  const int n_ctx = static_cast<int>(ids.size()) + o.greedy.value_or(0);
  NIBBLE_TRY(Evaluation e, prepare(o, std::move(file), n_ctx, !o.fast));
  if (!o.greedy) return write_logits(o, e, ids);
  NIBBLE_TRY(const auto next, eval_greedy(*e.engine, ids, *o.greedy));
  return write_out(fmt::format("[{}]\n", fmt::join(next, ", ")));
}

std::string to_text(const EvalOptions& o, const Perplexity& p, double speed) {
  return fmt::format(
      "perplexity {:.4f} +/- {:.4f}\n"
      "{} predictions in {} windows of {} tokens, {:.1f} tokens/s\n",
      p.perplexity, p.std_error, p.n_scored, p.n_windows, o.n_ctx, speed);
}

Json to_json(const EvalOptions& o, const Perplexity& p, const EvalWindows& windows, double speed) {
  return {
      {"perplexity", p.perplexity}, {"std_error", p.std_error},  {"tokens", windows.tokens.size()},
      {"scored", p.n_scored},       {"windows", p.n_windows},    {"context", o.n_ctx},
      {"exact", o.exact},           {"tokens_per_second", speed}};
}

Result<void> eval_text(const EvalOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(o.text));
  NIBBLE_TRY(TextSource source, open_text_source(o.model));
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const EvalWindows windows, make_windows(*source.tokenizer, text, o.n_ctx));
  NIBBLE_TRY(const Evaluation e, prepare(o, std::move(source.file), o.n_ctx, o.exact));
  const SignalWatch watch;
  ProgressLine progress;
  auto show = [&](int done, int total, double so_far) {
    progress.show(fmt::format("perplexity {:.4f}, window", so_far), done, total, "windows");
    return pending_signal() == 0;
  };
  const double start = now_s();
  NIBBLE_TRY(const Perplexity p, eval_perplexity(*e.engine, windows, show));
  progress.wipe();
  const double speed = static_cast<double>(windows.tokens.size()) / (now_s() - start);
  return write_out(o.json ? dump_json(to_json(o, p, windows, speed), 1) + "\n"
                          : to_text(o, p, speed));
}

}  // namespace

Command setup_eval(App& app) {
  App* command =
      add_command(app, "eval", "Measure a model: perplexity on a text, logits of tokens");
  auto o = std::make_shared<EvalOptions>();
  command
      ->add_option("MODEL", o->model,
                   "GGUF file, Hugging Face or Meta folder, or the name of an installed model")
      ->required();
  add_lora(*command, o->lora);
  const auto count = [&](const char* name, int& value, const char* text, int most) {
    return command->add_option(name, value, text)->type_name("N")->check(in_range(1, most));
  };
  command->add_option("--text", o->text, "Perplexity on this text; - is standard input")
      ->type_name("FILE")
      ->group("Perplexity");
  count("-c,--context", o->n_ctx, "Tokens of each window", 1 << 20)
      ->capture_default_str()
      ->group("Perplexity");
  command->add_option("--token-ids", o->token_ids, "Token ids, separated by commas")
      ->type_name("IDS")
      ->group("Tokens");
  command
      ->add_option("--logits", o->logits,
                   "Write the logits of each token to a NumPy file, float32 [tokens, vocabulary]")
      ->type_name("OUT.npy")
      ->group("Tokens");
  command
      ->add_option("--greedy", o->greedy, "Print the N ids that follow greedily, as a JSON array")
      ->type_name("N")
      ->check(in_range(1, 1 << 20))
      ->group("Tokens");
  command->add_flag("--exact", o->exact, "Compute exactly")->group("Computing");
  command->add_flag("--fast", o->fast, "Take the kernels that 'nibble run' takes")
      ->group("Computing");
  count("-b,--batch", o->n_batch, "Tokens processed together", 1 << 16)
      ->capture_default_str()
      ->group("Computing");
  count("-t,--threads", o->n_threads, "Threads (default: this machine's usable cores)", 1024)
      ->group("Computing");
  add_kv_type(*command, o->kv_type)->group("Computing");
  add_weights_options(*command, o->weights);
  command->add_flag("--json", o->json, "The result as one JSON document")->group("Output");
  command->footer(kExamples);
  return {command, [o] {
            return !check(*o) ? check(*o) : o->text.empty() ? eval_tokens(*o) : eval_text(*o);
          }};
}

}  // namespace nibble::cli
