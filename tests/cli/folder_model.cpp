#include "tests/cli/folder_model.h"

#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <vector>

#include "core/base/json.h"
#include "quant/format.h"
#include "tests/cli/byte_tokens.h"

namespace nibble::tests {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 64, kHidden = 96, kHeads = 4, kKvHeads = 2, kHeadSize = 16, kLayers = 2;
constexpr int kVocabulary = 259;  // bytes, <|begin|>, <|end|>, "th"

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

struct Tensor {
  std::string name;
  std::vector<int> shape;
};

std::vector<Tensor> tensors() {
  std::vector<Tensor> out = {{"model.embed_tokens.weight", {kVocabulary, kWidth}}};
  for (int i = 0; i < kLayers; ++i) {
    const std::string p = "model.layers." + std::to_string(i) + ".";
    out.push_back({p + "input_layernorm.weight", {kWidth}});
    out.push_back({p + "self_attn.q_proj.weight", {kHeads * kHeadSize, kWidth}});
    out.push_back({p + "self_attn.k_proj.weight", {kKvHeads * kHeadSize, kWidth}});
    out.push_back({p + "self_attn.v_proj.weight", {kKvHeads * kHeadSize, kWidth}});
    out.push_back({p + "self_attn.o_proj.weight", {kWidth, kHeads * kHeadSize}});
    out.push_back({p + "post_attention_layernorm.weight", {kWidth}});
    out.push_back({p + "mlp.gate_proj.weight", {kHidden, kWidth}});
    out.push_back({p + "mlp.up_proj.weight", {kHidden, kWidth}});
    out.push_back({p + "mlp.down_proj.weight", {kWidth, kHidden}});
  }
  out.push_back({"model.norm.weight", {kWidth}});
  out.push_back({"lm_head.weight", {kVocabulary, kWidth}});
  return out;
}

std::string data_of(const Tensor& tensor, const FolderOptions& o) {
  size_t n = 1;
  for (const int d : tensor.shape) n *= static_cast<size_t>(d);
  std::mt19937 generator(static_cast<uint32_t>(std::hash<std::string>{}(tensor.name)));
  std::vector<float> x(n);
  for (float& value : x) {
    const float unit = static_cast<float>(generator()) * 0x1p-31f - 1;
    value = tensor.shape.size() == 1 ? 1 + 0.1f * unit : o.scale * unit;
  }
  if (o.largest != 0 && tensor.name == "model.layers.0.mlp.up_proj.weight") x[0] = o.largest;
  const quant::Format& format = *quant::find_format(o.dtype);
  std::string out(format.row_bytes(static_cast<int64_t>(n)), '\0');
  quant::kernels(format).quantize(x.data(), static_cast<int64_t>(n),
                                  reinterpret_cast<std::byte*>(out.data()));
  return out;
}

std::string weights(const FolderOptions& o) {
  Json header = Json::object();
  std::string data;
  for (const Tensor& tensor : tensors()) {
    if (tensor.name == o.missing) continue;
    const std::string bytes = data_of(tensor, o);
    header[tensor.name] = {{"dtype", o.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    data += bytes;
  }
  const std::string text = header.dump();
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + text + data;
}

Json tokenizer(const FolderOptions& o) {
  Json vocabulary = Json::object();
  int id = 0;
  for (const std::string& text : byte_tokens()) vocabulary[text] = id++;
  vocabulary["th"] = 258;
  const auto added = [](int at, const char* content) {
    return Json{{"id", at},        {"content", content},  {"single_word", false}, {"lstrip", false},
                {"rstrip", false}, {"normalized", false}, {"special", true}};
  };
  Json pre = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", o.regex.empty()}};
  if (!o.regex.empty()) {
    Json split = {{"type", "Split"},
                  {"pattern", {{"Regex", o.regex}}},
                  {"behavior", "Isolated"},
                  {"invert", false}};
    pre = {{"type", "Sequence"}, {"pretokenizers", Json::array({split, pre})}};
  }
  return {{"added_tokens", Json::array({added(256, "<|begin|>"), added(257, "<|end|>")})},
          {"normalizer", nullptr},
          {"pre_tokenizer", pre},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array({"t h"})}}}};
}

}  // namespace

void write_folder_model(const fs::path& folder, const FolderOptions& options) {
  fs::create_directories(folder);
  const Json config = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"hidden_size", kWidth},
                       {"intermediate_size", kHidden},
                       {"num_attention_heads", kHeads},
                       {"num_key_value_heads", kKvHeads},
                       {"num_hidden_layers", kLayers},
                       {"vocab_size", kVocabulary},
                       {"max_position_embeddings", 128},
                       {"rms_norm_eps", 1e-5},
                       {"tie_word_embeddings", false}};
  write(folder / "config.json", config.dump());
  write(folder / "model.safetensors", weights(options));
  write(folder / "generation_config.json", R"({"temperature": 0.5, "top_k": 20})");
  write(folder / "README.md", "---\nlicense: mit\nbase_model: someone/base\n---\n# Model\n");
  if (!options.tokenizer) return;
  write(folder / "tokenizer.json", tokenizer(options).dump());
  write(folder / "tokenizer_config.json",
        R"({"bos_token": "<|begin|>", "eos_token": "<|end|>", "chat_template":
            [{"name": "default", "template": "{{ messages[0].content }}"},
             {"name": "tool_use", "template": "tools"}]})");
}

}  // namespace nibble::tests
