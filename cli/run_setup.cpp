#include "cli/run_setup.h"

#include <algorithm>
#include <random>

#include "cli/lora.h"
#include "cli/output.h"
#include "core/base/json.h"
#include "core/models/left_out.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"

namespace nibble::cli {
namespace {

constexpr int kDefaultContext = 4096;
constexpr const char* kGenerationConfig = "generation_config.json";
constexpr int kAnswerRoom = 1024;  // that a default context leaves behind a long prompt

uint64_t new_seed() {
  std::random_device device;
  return device();  // 32 bits: easy to type again
}

// What the model declares for a setting. config: its generation_config.json, of a folder.
Result<std::optional<double>> declared(const SamplerSetting& setting, const TextSource& source,
                                       const Json& config) {
  auto value = with_path(source.path / kGenerationConfig, declared_setting(setting, config));
  if (value && !*value)
    value = with_path(source.path, declared_setting(setting, source.file->metadata()));
  if (!value) value.error().message += fmt::format("; --{} takes its place", setting.name);
  return value;
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
  Json config = Json::object();
  if (has_file(source.path, kGenerationConfig)) {
    NIBBLE_TRY(config, read_json_in_folder(source.path, kGenerationConfig));
  }
  for (size_t i = 0; i < o.values.size(); ++i) {
    const SamplerSetting& setting = kSamplerSettings[i];
    auto value = o.values[i];
    if (!value) {
      NIBBLE_TRY(value, declared(setting, source, config));
    }
    if (value) setting.set(settings, *value);
  }
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
  ready.pool = std::make_unique<ThreadPool>(o.threads());
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
