// nibble bench: speed of a model on this machine.
#include "cli/bench.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/units.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

constexpr const char* kBenchExamples =
    "Examples:\n"
    "  nibble bench model.gguf                      prompt of 512 tokens, 128 generated\n"
    "  nibble bench model.gguf -p 0 -n 64 -d 4096   generation after 4096 tokens\n"
    "  nibble bench --tokenize book.txt model.gguf  speed of the tokenizer alone\n";

double best(const Json& numbers) {
  double most = 0;
  for (const Json& number : numbers) most = std::max(most, number.get<double>());
  return most;
}

std::string to_text(const Json& tests) {
  const Json& first = tests.at(0);
  if (first.contains("megabytes_per_second"))
    return fmt::format("{}  {:.2f} MB/s, loaded in {:.3f} s\n", first["test"].get<std::string>(),
                       best(first["megabytes_per_second"]), first["load_seconds"].get<double>());
  std::string out = "test        tokens/s      GB/s   of roof    GMAC/s   of roof\n";
  const auto percent = [](const Json& share) { return 100 * share.get<double>(); };
  for (const Json& test : tests)
    out += fmt::format(
        "{:<8}{:>12.2f}{:>10.1f}{:>8.0f} %{:>10.1f}{:>8.0f} %\n", test["test"].get<std::string>(),
        best(test["tokens_per_second"]), test["gigabytes_per_second"].get<double>(),
        percent(test["share_of_read_bandwidth"]), test["gigamacs_per_second"].get<double>(),
        percent(test["share_of_multiply_adds"]));
  const Json &roof = first["roof"], &read = roof["read_gigabytes_per_second"],
             &macs = roof["gigamacs_per_second"];
  return out +
         fmt::format(
             "this machine reads {:.1f} GB/s and does {:.0f} G 8-bit multiply-adds/s, with one "
             "thread {:.1f} and {:.0f}\n{} threads, {}, peak memory {}\n",
             read["all_threads"].get<double>(), macs["all_threads"].get<double>(),
             read["one_thread"].get<double>(), macs["one_thread"].get<double>(),
             first["threads"].get<int>(), first["instruction_set"].get<std::string>(),
             human_bytes(first["peak_resident_bytes"].get<uint64_t>()));
}

Result<void> run_bench(const BenchOptions& o) {
  if (o.text.empty() && o.n_prompt == 0 && o.n_generate == 0)
    return fail(ErrorKind::kUsage, "-p 0 and -n 0 leave nothing to measure");
  if (o.depth > 0 && o.n_generate == 0)
    return fail(ErrorKind::kUsage, "-d is of the generation test, which -n 0 leaves out");
  NIBBLE_TRY(const Json tests, o.text.empty() ? bench_model(o) : bench_tokenizer(o));
  return write_out(o.json ? dump_json(tests, 1) + "\n" : to_text(tests));
}

}  // namespace

Command setup_bench(App& app) {
  App* command = add_command(app, "bench", "Measure a model's speed on this machine");
  auto o = std::make_shared<BenchOptions>();
  command
      ->add_option("MODEL", o->model,
                   "GGUF file, Hugging Face or Meta folder, or the name of an installed model")
      ->required();
  const auto count = [&](const char* name, int& value, const char* text, int least, int most,
                         const char* group) {
    return command->add_option(name, value, text)
        ->type_name("N")
        ->check(in_range(least, most))
        ->capture_default_str()
        ->group(group);
  };
  std::vector<const Option*> of_model = {
      count("-p,--prompt-tokens", o->n_prompt, "Tokens of the prompt test; 0: leave it out", 0,
            1 << 20, "Tests"),
      count("-n,--max-tokens", o->n_generate, "Tokens of the generation test; 0: leave it out", 0,
            1 << 20, "Tests"),
      count("-d,--depth", o->depth, "Tokens in the context before generation starts", 0, 1 << 20,
            "Tests")};
  count("-r,--repetitions", o->repetitions, "Times that each test is measured, after one warm-up",
        1, 1000, "Tests");
  Option* tokenize =
      command->add_option("--tokenize", o->text, "Measure the tokenizer on this text instead")
          ->type_name("FILE")
          ->group("Tests");
  of_model.push_back(
      count("-b,--batch", o->n_batch, "Prompt tokens processed together", 1, 1 << 16, "Computing"));
  of_model.push_back(add_threads(*command, *o)->group("Computing"));
  of_model.push_back(add_kv_type(*command, o->kv_type)->capture_default_str()->group("Computing"));
  for (const Option* option : add_weights_options(*command, o->weights)) of_model.push_back(option);
  for (const Option* option : of_model) tokenize->excludes(option);
  command->add_flag("--json", o->json, "The result as one JSON document, each repetition listed")
      ->group("Output");
  command->footer(kBenchExamples);
  return {command, [o] { return run_bench(*o); }};
}

}  // namespace nibble::cli
