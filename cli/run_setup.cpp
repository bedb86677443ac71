#include "cli/run_setup.h"

#include <algorithm>
#include <random>

#include "cli/lora.h"
#include "cli/output.h"
#include "core/base/json.h"
#include "core/models/left_out.h"
#include "formats/path_message.h"

namespace nibble::cli {
namespace {

constexpr int kDefaultContext = 4096;
constexpr int kAnswerRoom = 1024;  // that a default context leaves behind a long prompt

uint64_t new_seed() {
  std::random_device device;
  return device();  // 32 bits: easy to type again
}

template <class T>
void take(const std::optional<T>& given, T& value) {
  if (given) value = *given;
}

// The model's own defaults, by llama.cpp's keys.
Result<void> take_declared(const Metadata& metadata, SamplerSettings& settings) {
  const auto number = [&](const char* key, auto& value) -> Result<void> {
    const std::string name = std::string("general.sampling.") + key;
    if (!metadata.find(name)) return {};
    if constexpr (std::is_integral_v<std::remove_reference_t<decltype(value)>>) {
      NIBBLE_TRY(const auto ints, metadata.get_u64(name));
      value = static_cast<int>(std::min<uint64_t>(*ints, INT32_MAX));
    } else {
      NIBBLE_TRY(const auto real, metadata.get_f64(name));
      value = static_cast<float>(*real);
    }
    return {};
  };
  NIBBLE_CHECK(number("temp", settings.temperature));
  NIBBLE_CHECK(number("top_k", settings.top_k));
  NIBBLE_CHECK(number("top_p", settings.top_p));
  NIBBLE_CHECK(number("min_p", settings.min_p));
  NIBBLE_CHECK(number("penalty_repeat", settings.repeat_penalty));
  return number("penalty_last_n", settings.repeat_last_n);
}

// The same of a folder, by transformers' keys.
Result<void> take_generation_config(const std::filesystem::path& folder,
                                    SamplerSettings& settings) {
  const auto path = folder / "generation_config.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  NIBBLE_TRY(const std::string text, read_text(path.string()));
  NIBBLE_TRY(const Json config, with_path(path, parse_json(text)));
  const auto number = [&](const char* key, auto& value) {
    if (config.is_object() && config.contains(key) && config[key].is_number())
      value = config[key].get<std::remove_reference_t<decltype(value)>>();
  };
  number("temperature", settings.temperature);
  number("top_k", settings.top_k);
  number("top_p", settings.top_p);
  number("min_p", settings.min_p);
  number("repetition_penalty", settings.repeat_penalty);
  return {};
}

Error does_not_fit(const RunOptions& o, const Model& model, size_t n_prompt, int n_ctx) {
  const bool model_holds_it = std::cmp_less_equal(n_prompt, model.n_ctx_train());
  const std::string advice =
      model_holds_it
          ? fmt::format("pass -c {} or more, or a shorter prompt", n_prompt)
          : fmt::format("the model was trained for {}: pass a shorter prompt", model.n_ctx_train());
  return {ErrorKind::kContextFull,
          fmt::format("the prompt has {} tokens, the context holds {}{}; {}", n_prompt, n_ctx,
                      o.n_ctx && *o.n_ctx ? " (-c)" : "", advice)};
}

}  // namespace

Result<SamplerSettings> sampler_settings(const SamplingOptions& o, const TextSource& source) {
  SamplerSettings settings;
  NIBBLE_CHECK(take_declared(source.file->metadata(), settings));
  NIBBLE_CHECK(take_generation_config(source.path, settings));
  take(o.temperature, settings.temperature);
  take(o.top_k, settings.top_k);
  take(o.top_p, settings.top_p);
  take(o.min_p, settings.min_p);
  take(o.repeat_penalty, settings.repeat_penalty);
  take(o.presence_penalty, settings.presence_penalty);
  take(o.frequency_penalty, settings.frequency_penalty);
  take(o.repeat_last_n, settings.repeat_last_n);
  settings.seed = o.seed && *o.seed != -1 ? static_cast<uint64_t>(*o.seed) : new_seed();
  return settings;
}

Result<int> context_size(const RunOptions& o, const Model& model, size_t n_prompt) {
  const int trained = model.n_ctx_train();
  int n_ctx = trained;
  if (o.n_ctx && *o.n_ctx > 0) {
    n_ctx = *o.n_ctx;
  } else if (!o.n_ctx) {
    const int room = o.max_tokens < 0 ? kAnswerRoom : std::min(o.max_tokens, kAnswerRoom);
    const size_t wanted = std::max<size_t>(kDefaultContext, n_prompt + static_cast<size_t>(room));
    n_ctx = static_cast<int>(std::min<size_t>(wanted, static_cast<size_t>(trained)));
  }
  if (n_prompt > static_cast<size_t>(n_ctx))
    return std::unexpected(does_not_fit(o, model, n_prompt, n_ctx));
  if (n_ctx > trained)
    notice("a context of {} tokens is more than the {} that the model was trained for", n_ctx,
           trained);
  return n_ctx;
}

size_t most_prompt_tokens(const RunOptions& o, const Model& model) {
  const int n_ctx = o.n_ctx && *o.n_ctx > 0 ? *o.n_ctx : model.n_ctx_train();
  const int room = o.max_tokens >= 0 ? std::min(o.max_tokens, n_ctx / 2) : n_ctx / 4;
  return static_cast<size_t>(n_ctx - room);
}

Result<std::unique_ptr<Model>> load_model(const RunOptions& o, const TextSource& source) {
  NIBBLE_TRY(const LoraFiles lora, LoraFiles::open(o.lora));
  NIBBLE_TRY(Model loaded, Model::load(*source.file, lora.inputs()));
  auto model = std::make_unique<Model>(std::move(loaded));
  if (const auto left_out = left_out_tensors(*source.file, *model); !left_out.empty())
    notice("{} tensors are left out, as {}; 'nibble inspect' counts them", left_out.size(),
           left_out.front());
  return model;
}

Result<ReadyModel> make_ready(const RunOptions& o, TextSource& source, std::unique_ptr<Model> model,
                              const SamplerSettings& settings, size_t n_prompt) {
  ReadyModel ready;
  ready.model = std::move(model);
  NIBBLE_TRY(const int n_ctx, context_size(o, *ready.model, n_prompt));
  NIBBLE_TRY(const KvTypes kv_types, parse_kv_types(o.kv_type));
  NIBBLE_TRY(ready.weights, place_weights(*source.file, o.weights));
  ready.pool = std::make_unique<ThreadPool>(o.n_threads ? o.n_threads : default_threads());
  const EngineOptions engine_options{.n_ctx = n_ctx, .n_batch = o.n_batch, .kv_types = kv_types};
  NIBBLE_TRY(Engine engine, Engine::create(*ready.model, *ready.pool, engine_options));
  ready.engine = std::make_unique<Engine>(std::move(engine));
  NIBBLE_TRY(ready.draft, load_draft(o, *source.tokenizer, *ready.pool, engine_options));
  const int n_vocab = ready.model->n_vocab();
  ready.session = std::make_unique<Session>(*source.tokenizer, *ready.engine, settings, n_vocab,
                                            make_drafter(o, ready.draft.get(), n_vocab));
  return ready;
}

AnswerLimits answer_limits(const RunOptions& o) {
  return {.max_tokens = o.max_tokens, .stops = o.stops, .ignore_eos = o.ignore_eos};
}

}  // namespace nibble::cli
