// Hugging Face folders whose weights count beside the config: whether there is an output matrix,
// experts one by one or stacked.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/base/json.h"
#include "core/engine.h"
#include "core/models/family.h"
#include "core/models/folder_config.h"
#include "formats/weight_file.h"
#include "tests/formats/checkpoint_bytes.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct Stored {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using StoredTensors = std::map<std::string, Stored>;

// Repeatable numbers for element i of a tensor of the family's table.
float value(const std::string& gguf_name, int64_t i) {
  uint32_t x = static_cast<uint32_t>(std::hash<std::string>{}(gguf_name)) + 2654435761u * i;
  x ^= x >> 15, x *= 2246822519u, x ^= x >> 13;
  const float noise = static_cast<float>(x >> 8) * 0x1p-23f - 1;
  return gguf_name.find("norm") != std::string::npos ? 1 + 0.1f * noise : 0.2f * noise;
}

std::vector<float> values(const TensorSpec& spec, int64_t first, int64_t n) {
  std::vector<float> out(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) out[static_cast<size_t>(i)] = value(spec.gguf_name, first + i);
  return out;
}

// One part of a tensor that holds several for each expert.
void add_part(const TensorSpec& spec, Stored& out) {
  const int64_t n = spec.shape.dim[0], each = spec.shape.n_elements() / n;
  out.shape = {n, spec.shape.dim[1] * spec.n_parts, spec.shape.dim[2]};
  out.values.resize(static_cast<size_t>(n * each * spec.n_parts));
  for (int64_t e = 0; e < n; ++e)
    std::ranges::copy(values(spec, e * each, each),
                      out.values.begin() + (e * spec.n_parts + spec.part) * each);
}

void add_each_expert(const TensorSpec& spec, const std::string& name, StoredTensors& out) {
  const int64_t each = spec.shape.dim[1] * spec.shape.dim[2];
  for (int64_t e = 0; e < spec.shape.dim[0]; ++e) {
    std::string one = name;
    one.replace(one.find("{e}"), 3, std::to_string(e));
    out[one] = {{spec.shape.dim[1], spec.shape.dim[2]}, values(spec, e * each, each)};
  }
}

// The table's tensors under the first of their names with experts one by one, or under the last
// with experts stacked.
StoredTensors tensors_of(const Json& config, bool stacked) {
  const auto folder = read_folder_config(config);
  REQUIRE(folder);
  const auto h = folder->architecture->read_hparams({folder->metadata, nullptr});
  REQUIRE(h);
  StoredTensors out;
  for (const TensorSpec& spec : folder->architecture->tensors(*h)) {
    const auto [first, last] = std::pair{spec.hf_name.find('|'), spec.hf_name.rfind('|') + 1};
    const std::string name =
        stacked && spec.shape.n_dims > 1 && spec.gguf_name.find("attn") == spec.gguf_name.npos
            ? spec.hf_name.substr(last)
            : spec.hf_name.substr(0, first);
    if (name.empty() || name.ends_with(".bias")) continue;
    if (spec.shape.n_dims < 3)
      out[name] = {{spec.shape.dim.begin(), spec.shape.dim.begin() + spec.shape.n_dims},
                   values(spec, 0, spec.shape.n_elements())};
    else if (name.find("{e}") == name.npos && stacked)
      add_part(spec, out[name]);
    else if (name.find("{e}") != name.npos && !stacked)
      add_each_expert(spec, name, out);
  }
  return out;
}

void write(const TemporaryFolder& folder, const Json& config, const StoredTensors& tensors) {
  Json header = Json::object();
  GgufBytes data;
  size_t at = 0;
  for (const auto& [name, t] : tensors) {
    for (const float x : t.values) data.value(x);
    const size_t n_bytes = 4 * t.values.size();
    header[name] = {{"dtype", "F32"}, {"shape", t.shape}, {"data_offsets", {at, at + n_bytes}}};
    at += n_bytes;
  }
  folder.write("config.json", config.dump());
  folder.write("model.safetensors", safetensors(header.dump(), data.str()));
}

std::vector<float> last_logits(const TemporaryFolder& folder) {
  const auto file = open_weight_file(folder.path());
  REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
  const auto model = Model::load(**file);
  REQUIRE_MESSAGE(model, (model ? "" : model.error().message));
  ThreadPool pool(1);
  auto engine = Engine::create(*model, pool, {.n_ctx = 16, .exact = true});
  REQUIRE(engine);
  const auto row = engine->prefill(std::vector<TokenId>{3, 14, 15, 92, 65});
  REQUIRE(row);
  return {row->begin(), row->end()};
}

}  // namespace

TEST_CASE("Mixtral's experts may stand stacked, under the names that its class gives them") {
  const Json config = *parse_json(
      R"({"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": 64,
          "intermediate_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
          "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 256,
          "num_local_experts": 5, "num_experts_per_tok": 2})");
  const TemporaryFolder each, stacked;
  write(each, config, tensors_of(config, false));
  const StoredTensors tensors = tensors_of(config, true);
  CHECK(tensors.contains("model.layers.0.mlp.gate.weight"));
  CHECK(tensors.contains("model.layers.1.mlp.experts.gate_up_proj"));
  CHECK(tensors.contains("model.layers.1.mlp.experts.down_proj"));
  write(stacked, config, tensors);
  CHECK(last_logits(stacked) == last_logits(each));
}

TEST_CASE("a vision model that says nothing of tying is tied where it has no output matrix") {
  const Json config = *parse_json(
      R"({"architectures": ["Mistral3ForConditionalGeneration"], "text_config": {
          "model_type": "mistral", "hidden_size": 64, "intermediate_size": 96, "head_dim": 16,
          "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 1,
          "vocab_size": 96, "sliding_window": null, "max_position_embeddings": 256}})");
  for (const bool has_output : {false, true}) {
    CAPTURE(has_output);
    Json said = config;
    said["tie_word_embeddings"] = !has_output;
    const TemporaryFolder folder;
    write(folder, config, tensors_of(said, false));
    const auto file = open_weight_file(folder.path());
    REQUIRE(file);
    const auto family = read_family(**file);
    REQUIRE(family);
    CHECK(family->hparams.tied == !has_output);
    CHECK(Model::load(**file).has_value());
  }
}

TEST_CASE("a stored output matrix that is not the embedding counts although the config ties") {
  Json config = *parse_json(
      R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
          "num_attention_heads": 4, "num_hidden_layers": 1, "vocab_size": 96,
          "max_position_embeddings": 256})");
  StoredTensors tensors = tensors_of(config, false);
  const TemporaryFolder untied, own, same;
  write(untied, config, tensors);
  config["tie_word_embeddings"] = true;
  write(own, config, tensors);
  CHECK(last_logits(own) == last_logits(untied));
  tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"];
  write(same, config, tensors);
  const auto file = open_weight_file(same.path());
  REQUIRE(file);
  const auto family = read_family(**file);
  REQUIRE(family);
  CHECK(family->hparams.tied);
}
