// nibble eval: perplexity on a text, distance from a reference, multiple-choice questions, logits
// and greedy continuation of given tokens.
#include "cli/eval.h"

#include <array>

#include "cli/command.h"
#include "cli/lora.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "core/base/distinct_files.h"

namespace nibble::cli {
namespace {

constexpr const char* kEvalExamples =
    "With --text and --multiple-choice the kernels are those of 'nibble run' unless --exact is\n"
    "given; with --token-ids they are exact unless --fast is given. Exact: weights as stored,\n"
    "float32 activations, attention and cache.\n"
    "\n"
    "A question is one JSON object a line: {\"question\": \"The sky is\", \"choices\": "
    "[\"blue.\",\n"
    "\"made of cheese.\"], \"answer\": 0}; 'context' may stand for 'question', a letter from "
    "\"A\"\n"
    "for the number. Each choice is scored by the log-likelihood of its tokens behind the "
    "question,\n"
    "with a space between them where neither has one: as it is, and divided by the choice's "
    "bytes.\n"
    "\n"
    "Examples:\n"
    "  nibble eval model.gguf --text book.txt        perplexity, as llama-perplexity computes it\n"
    "  nibble eval model-q4.gguf --text book.txt --against model-f16.gguf\n"
    "  nibble eval model.gguf --multiple-choice questions.jsonl --json\n"
    "  nibble eval model.gguf --token-ids 1,2,3 --logits logits.npy\n"
    "  nibble eval model.gguf --token-ids 1,2,3 --greedy 24\n";

std::string_view fault(const EvalOptions& o) {
  const int n_tasks = !o.text.empty() + !o.token_ids.empty() + !o.questions.empty();
  if (n_tasks != 1)
    return "pass one of --text FILE, --multiple-choice FILE.jsonl and --token-ids IDS";
  if (o.exact && o.fast) return "--exact and --fast exclude one another";
  if (o.kv_type && (o.exact || (!o.token_ids.empty() && !o.fast)))
    return "--kv-type: exact results have an f32 cache; pass --fast for another one";
  if (!o.against.empty() && o.text.empty()) return "--against needs --text FILE";
  if (o.token_ids.empty() && (!o.logits.empty() || o.greedy))
    return "--logits and --greedy need --token-ids";
  if (!o.token_ids.empty() && o.logits.empty() == !o.greedy)
    return "--token-ids needs one of --logits OUT.npy and --greedy N";
  return {};
}

Result<void> run_eval(const EvalOptions& o) {
  if (const auto what = fault(o); !what.empty()) return fail(ErrorKind::kUsage, "{}", what);
  if (!o.token_ids.empty()) return eval_tokens(o);
  if (!o.questions.empty()) return eval_questions(o);
  return o.against.empty() ? eval_text(o) : eval_against(o);
}

void add_tasks(App& command, EvalOptions& o) {
  command.add_option("--text", o.text, "Perplexity on this text; - is standard input")
      ->type_name("FILE")
      ->group("Text");
  command
      .add_option("--against", o.against,
                  "KL divergence of this model's predictions from the model's, and how often both "
                  "find the same token likeliest")
      ->type_name("REFERENCE")
      ->group("Text");
  const Option* context = command.add_option("-c,--context", o.n_ctx, "Tokens of each window")
                              ->type_name("N")
                              ->check(in_range(1, 1 << 20))
                              ->capture_default_str()
                              ->group("Text");
  command
      .add_option("--multiple-choice", o.questions,
                  "Share of questions answered rightly; one JSON object a line, see below")
      ->type_name("FILE.jsonl")
      ->excludes(context)
      ->group("Questions");
  command.add_option("--token-ids", o.token_ids, "Token ids, separated by commas")
      ->type_name("IDS")
      ->excludes(context)
      ->group("Tokens");
  command
      .add_option("--logits", o.logits,
                  "Write the logits of each token to a NumPy file, float32 [tokens, vocabulary]")
      ->type_name("OUT.npy")
      ->group("Tokens");
  command.add_option("--greedy", o.greedy, "Print the N ids that follow greedily, as a JSON array")
      ->type_name("N")
      ->check(in_range(1, 1 << 20))
      ->group("Tokens");
}

void add_computing(App& command, EvalOptions& o) {
  command.add_flag("--exact", o.exact, "Compute exactly")->group("Computing");
  command.add_flag("--fast", o.fast, "Take the kernels that 'nibble run' takes")
      ->group("Computing");
  command.add_option("-b,--batch", o.n_batch, "Tokens processed together")
      ->type_name("N")
      ->check(in_range(1, 1 << 16))
      ->capture_default_str()
      ->group("Computing");
  add_threads(command, o)->group("Computing");
  add_kv_type(command, o.kv_type)->group("Computing");
  add_weights_options(command, o.weights);
}

}  // namespace

Result<Evaluation> prepare(const EvalOptions& o, std::unique_ptr<WeightFile> file, ThreadPool& pool,
                           int n_ctx, bool exact) {
  Evaluation e{.file = std::move(file), .model = {}, .engine = {}};
  NIBBLE_TRY(const LoraFiles lora, LoraFiles::open(o.lora));
  if (!o.logits.empty()) {
    std::vector<std::filesystem::path> read = paths_of(*e.file);
    lora.add_paths(read);
    NIBBLE_CHECK(check_distinct(std::array{std::filesystem::path(o.logits)}, read));
  }
  NIBBLE_TRY(Model model, Model::load(*e.file, lora.inputs()));
  e.model = std::make_unique<Model>(std::move(model));
  NIBBLE_TRY(const KvTypes kv_types, parse_kv_types(o.kv_type.value_or("f16")));
  NIBBLE_CHECK(place_weights(*e.file, o.weights));
  const EngineOptions options{
      .n_ctx = n_ctx, .n_batch = o.n_batch, .kv_types = kv_types, .exact = exact};
  NIBBLE_TRY(Engine engine, Engine::create(*e.model, pool, options));
  e.engine = std::make_unique<Engine>(std::move(engine));
  return e;
}

Command setup_eval(App& app) {
  App* command = add_command(
      app, "eval", "Measure a model: perplexity, distance from another, questions, logits");
  auto o = std::make_shared<EvalOptions>();
  command
      ->add_option("MODEL", o->model,
                   "GGUF file, Hugging Face or Meta folder, or the name of an installed model")
      ->required();
  add_lora(*command, o->lora);
  add_tasks(*command, *o);
  add_computing(*command, *o);
  command->add_flag("--json", o->json, "The result as one JSON document")->group("Output");
  command->footer(kEvalExamples);
  return {command, [o] { return run_eval(*o); }};
}

}  // namespace nibble::cli
