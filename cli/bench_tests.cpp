#include <algorithm>
#include <vector>

#include "cli/bench.h"
#include "cli/input.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/roof.h"
#include "core/base/json.h"
#include "core/base/thread_pool.h"
#include "core/engine.h"
#include "core/models/work.h"
#include "quant/dispatch.h"

namespace nibble::cli {
namespace {

// Token ids without meaning: spread over the vocabulary, the same in every run.
std::vector<TokenId> filler(int n, int n_vocab) {
  std::vector<TokenId> ids(static_cast<size_t>(n));
  uint32_t state = 1;
  for (TokenId& id : ids) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    id = static_cast<TokenId>((state >> 8) % static_cast<uint32_t>(n_vocab));
  }
  return ids;
}

struct Bench {
  const BenchOptions& options;
  const Model& model;
  Engine& engine;
  ProgressLine progress;
  int n_runs = 0, n_done = 0;

  Result<double> prompt_seconds() {
    NIBBLE_CHECK(engine.rewind(0));
    const auto ids = filler(options.n_prompt, model.n_vocab());
    const double start = now_s();
    NIBBLE_CHECK(engine.prefill(ids));
    return now_s() - start;
  }
  Result<double> generate_seconds() {
    if (engine.n_past() < options.depth || !engine.rewind(options.depth)) {
      NIBBLE_CHECK(engine.rewind(0));
      if (options.depth > 0) NIBBLE_CHECK(engine.prefill(filler(options.depth, model.n_vocab())));
    }
    const auto ids = filler(options.n_generate, model.n_vocab());
    const double start = now_s();
    for (const TokenId id : ids) NIBBLE_CHECK(engine.decode(id));
    return now_s() - start;
  }
  // Tokens per second of each repetition, after one warm-up.
  template <class Seconds>
  Result<std::vector<double>> repeat(int n_tokens, Seconds seconds) {
    std::vector<double> speeds;
    for (int i = 0; i <= options.repetitions; ++i) {
      NIBBLE_TRY(const double s, seconds());
      if (i > 0) speeds.push_back(n_tokens / s);
      progress.show("bench", ++n_done, n_runs, "runs");
    }
    return speeds;
  }
};

// A test's speeds, and its best one against the roof: `work` is what all n_tokens take.
Json test_of(const std::string& name, int n_tokens, const std::vector<double>& speeds,
             const Work& work, const Roof& roof) {
  const double seconds = n_tokens / std::ranges::max(speeds);
  const double read = work.n_bytes / seconds, macs = work.n_macs / seconds;
  const double read_share = read / roof.read_bytes.all, mac_share = macs / roof.macs.all;
  return {{"test", name},
          {"tokens_per_second", speeds},
          {"gigabytes_per_second", read / 1e9},
          {"share_of_read_bandwidth", read_share},
          {"gigamacs_per_second", macs / 1e9},
          {"share_of_multiply_adds", mac_share},
          {"share_of_roof", std::max(read_share, mac_share)}};
}

Result<Json> run_tests(const BenchOptions& o, const Model& model, Engine& engine,
                       const Roof& roof) {
  Bench bench{.options = o, .model = model, .engine = engine, .progress = {}};
  bench.n_runs = (o.repetitions + 1) * ((o.n_prompt > 0) + (o.n_generate > 0));
  Json tests = Json::array();
  if (o.n_prompt > 0) {
    NIBBLE_TRY(const auto speeds, bench.repeat(o.n_prompt, [&] { return bench.prompt_seconds(); }));
    tests.push_back(test_of(fmt::format("pp{}", o.n_prompt), o.n_prompt, speeds,
                            prompt_work(model, o.n_prompt, o.n_batch), roof));
  }
  if (o.n_generate > 0) {
    NIBBLE_TRY(const auto speeds,
               bench.repeat(o.n_generate, [&] { return bench.generate_seconds(); }));
    const double kv_bytes = static_cast<double>(engine.kv_bytes_used()) / engine.n_past();
    tests.push_back(test_of(fmt::format("tg{}", o.n_generate), o.n_generate, speeds,
                            generation_work(model, o.depth, o.n_generate, kv_bytes), roof));
    tests.back().update(
        {{"depth", o.depth}, {"kv_type", o.kv_type}, {"kv_bytes", engine.kv_bytes_reserved()}});
  }
  return tests;
}

}  // namespace

Result<Json> bench_model(const BenchOptions& o) {
  const int n_threads = o.threads();
  NIBBLE_TRY(const auto path, find_model(o.model));
  NIBBLE_TRY(const auto file, open_weight_file(path));
  NIBBLE_TRY(const Model model, Model::load(*file));
  NIBBLE_TRY(const Roof roof, measure_roof(n_threads));
  reset_peak_resident_bytes();
  NIBBLE_TRY(const WeightsMemory weights, place_weights(*file, o.weights));
  ThreadPool pool(n_threads);
  const int n_ctx = std::max(o.n_prompt, o.depth + o.n_generate);
  NIBBLE_TRY(const KvTypes kv_types, parse_kv_types(o.kv_type));
  NIBBLE_TRY(
      Engine engine,
      Engine::create(model, pool, {.n_ctx = n_ctx, .n_batch = o.n_batch, .kv_types = kv_types}));
  NIBBLE_TRY(Json tests, run_tests(o, model, engine, roof));
  for (Json& test : tests) {
    test["instruction_set"] = quant::isa_name();
    test["threads"] = n_threads;
    test["roof"] = to_json(roof);
    test["weights"] = to_json(weights, *file);
    test["peak_resident_bytes"] = peak_resident_bytes();
  }
  return tests;
}

Result<Json> bench_tokenizer(const BenchOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(o.text));
  const double start = now_s();
  NIBBLE_TRY(const TextSource source, open_text_source(o.model));
  const double load_s = now_s() - start;
  std::vector<double> speeds;
  size_t n_tokens = 0;
  for (int i = 0; i <= o.repetitions; ++i) {
    const double begin = now_s();
    NIBBLE_TRY(const auto ids, source.tokenizer->encode(text));
    n_tokens = ids.size();
    if (i > 0) speeds.push_back(static_cast<double>(text.size()) / 1e6 / (now_s() - begin));
  }
  return Json::array({{{"test", "tokenize"},
                       {"megabytes_per_second", speeds},
                       {"load_seconds", load_s},
                       {"bytes", text.size()},
                       {"tokens", n_tokens}}});
}

}  // namespace nibble::cli
