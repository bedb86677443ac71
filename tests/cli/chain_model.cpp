#include "tests/cli/chain_model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "formats/gguf_write.h"
#include "quant/encoder.h"
#include "tests/cli/byte_tokens.h"

namespace nibble::tests {
namespace {

constexpr int kBytes = 256;
// Words are made by merges from left to right; what is merged on the way has tokens too, behind
// kWords.
enum Special : int32_t {
  kEnd = kBytes,
  kStop,
  kUser,
  kSystem,
  kHello,
  kWorld,
  kAgain,
  kOne,
  kTwo,
  kPartial
};
constexpr int kVocabulary = 279;
constexpr int kWidth = 288;  // one place for each token, and whole blocks of 32
static_assert(kVocabulary <= kWidth);

// The words of a model that thinks have no merges: nobody writes them in a prompt.
void set_tokenizer(MetadataDraft& keys, const ChainOptions& options = {}) {
  const char* two = options.other_vocabulary ? "ĠTWO" : "Ġtwo";
  std::vector<std::string> tokens = byte_tokens();
  for (const char* text :
       {"<|end|>", "<|stop|>", "<|user|>", "<|system|>", "Hello", "Ġworld", "Ġagain", "one", two})
    tokens.emplace_back(text);
  if (options.thinks) {
    tokens[kAgain] = "<think>";
    tokens[kOne] = "hmm";
    tokens[kTwo] = "</think>";
  }
  std::vector<std::string> merges;
  for (int id = kHello; id <= (options.thinks ? kWorld : kTwo); ++id) {
    const std::string word = tokens[static_cast<size_t>(id)];
    const size_t first = word.starts_with("Ġ") ? 2 : 1;
    for (size_t n = first; n < word.size(); ++n) {
      merges.push_back(word.substr(0, n) + " " + word[n]);
      if (n > first) tokens.push_back(word.substr(0, n));
    }
  }
  while (options.thinks && tokens.size() < kVocabulary)
    tokens.push_back("filler" + std::to_string(tokens.size()));
  REQUIRE(tokens.size() == kVocabulary);
  std::vector<int32_t> types(tokens.size(), 1);
  for (const int id : {kEnd, kStop, kUser, kSystem}) types[static_cast<size_t>(id)] = 3;
  keys.set_text("tokenizer.ggml.model", "gpt2");
  keys.set_text("tokenizer.ggml.pre", "gpt-2");
  keys.set_texts("tokenizer.ggml.tokens", tokens);
  keys.set_i32s("tokenizer.ggml.token_type", types);
  keys.set_texts("tokenizer.ggml.merges", merges);
  keys.set_u32("tokenizer.ggml.eos_token_id", kEnd);
  keys.set_u32("tokenizer.ggml.eot_token_id", kStop);
  keys.set_bool("tokenizer.ggml.add_bos_token", false);
}

struct Sizes {
  int n_layer = 1, n_embd = kWidth, n_head = 1, d_head = 32, n_ff = 32, n_ctx = 256;
};

void set_sizes(MetadataDraft& keys, const Sizes& s) {
  const auto set = [&](const char* name, int value) {
    keys.set_u32(std::string("llama.") + name, static_cast<uint32_t>(value));
  };
  keys.set_text("general.architecture", "llama");
  keys.set_text("general.name", "chain");
  keys.set_text("general.license", "apache-2.0");
  set("block_count", s.n_layer);
  set("context_length", s.n_ctx);
  set("embedding_length", s.n_embd);
  set("feed_forward_length", s.n_ff);
  set("attention.head_count", s.n_head);
  set("attention.head_count_kv", s.n_head);
  set("attention.key_length", s.d_head);
  set("attention.value_length", s.d_head);
  set("rope.dimension_count", s.d_head);
  set("vocab_size", kVocabulary);
  keys.set_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
}

std::vector<gguf::TensorPlan> plan_tensors(const Sizes& s, const char* format) {
  const auto* weights = quant::find_format(format);
  const auto* norms = quant::find_format("f32");
  const int64_t e = s.n_embd, h = int64_t{s.n_head} * s.d_head;
  std::vector<gguf::TensorPlan> out;
  const auto matrix = [&](const std::string& name, int64_t rows, int64_t cols) {
    out.push_back({name + ".weight", weights, {2, {rows, cols}}});
  };
  const auto norm = [&](const std::string& name) {
    out.push_back({name + ".weight", norms, {1, {e}}});
  };
  matrix("token_embd", kVocabulary, e);
  for (int i = 0; i < s.n_layer; ++i) {
    const std::string block = "blk." + std::to_string(i) + ".";
    norm(block + "attn_norm");
    matrix(block + "attn_q", h, e);
    matrix(block + "attn_k", h, e);
    matrix(block + "attn_v", h, e);
    matrix(block + "attn_output", e, h);
    norm(block + "ffn_norm");
    matrix(block + "ffn_gate", s.n_ff, e);
    matrix(block + "ffn_up", s.n_ff, e);
    matrix(block + "ffn_down", e, s.n_ff);
  }
  norm("output_norm");
  matrix("output", kVocabulary, e);
  return out;
}

// Values of a tensor, rows one after the other.
using Fill = std::vector<float> (*)(const gguf::TensorPlan& tensor);

void write_model(const std::filesystem::path& target, const MetadataDraft& keys,
                 const std::vector<gguf::TensorPlan>& tensors, Fill fill) {
  auto writer =
      gguf::Writer::create(gguf::lay_out({target, keys.entries(), tensors}), tensors, true);
  REQUIRE(writer);
  for (const auto& tensor : tensors) {
    const auto values = fill(tensor);
    std::vector<std::byte> bytes(tensor.n_bytes());
    if (const auto* encoder = quant::find_encoder(*tensor.format))
      encoder->encode(values.data(), tensor.shape.n_rows(), tensor.shape.n_cols(), nullptr,
                      bytes.data());
    else
      quant::kernels(*tensor.format)
          .quantize(values.data(), static_cast<int64_t>(values.size()), bytes.data());
    REQUIRE(writer->write(bytes));
  }
  REQUIRE(writer->commit());
}

// What follows each token, one pair each; a token with several successors draws among them.
std::vector<std::pair<int, int>> successors() {
  std::vector<std::pair<int, int>> out = {
      {'a', kHello},        {kHello, kWorld},
      {kWorld, '!'},        {'!', kEnd},
      {'t', kOne},          {kOne, kTwo},
      {kTwo, kEnd},         {'e', 0xC3},
      {0xC3, 0xA9},         {0xA9, kEnd},
      {'m', 0xF0},          {0xF0, 0x9F},
      {0x9F, 0x98},         {0x98, 0x80},
      {0x80, kEnd},         {'u', 0xFF},
      {0xFF, '?'},          {'?', kEnd},
      {'o', kAgain},        {kAgain, kAgain},
      {'s', kStop},         {kPartial + 7, kHello},
      {kPartial + 12, kOne}};  // " a" and " t" are on the way to " again" and " two"
  for (const int from : {int{'d'}, int{'1'}, int{'2'}, int{'3'}, int{'4'}, int{'5'}, int{'6'}})
    for (int to = '1'; to <= '6'; ++to) out.emplace_back(from, to);
  return out;
}

using Successors = std::vector<std::pair<int, int>>;

Successors thinking_successors() {
  return {{'q', kAgain}, {kAgain, kOne},   {kOne, kTwo},  {kTwo, kHello},
          {'a', kHello}, {kHello, kWorld}, {kWorld, '!'}, {'!', kEnd}};
}

std::vector<float> values_of(const gguf::TensorPlan& tensor, const Successors& chain) {
  std::vector<float> x(static_cast<size_t>(tensor.shape.n_elements()),
                       tensor.shape.n_dims == 1 ? 1.0f : 0.0f);
  const auto at = [&](int row, int col) -> float& {
    return x[static_cast<size_t>(row * kWidth + col)];
  };
  if (tensor.name == "token_embd.weight") {
    for (int id = 0; id < kVocabulary; ++id) at(id, id) = 1;
    at('N', 'N') = NAN;
  }
  if (tensor.name == "output.weight")
    for (const auto& [from, to] : chain) at(to, from) = 1;
  return x;
}

std::vector<float> chain_values(const gguf::TensorPlan& tensor) {
  return values_of(tensor, successors());
}
std::vector<float> finite_values(const gguf::TensorPlan& tensor) {
  std::vector<float> x = chain_values(tensor);
  for (float& value : x) value = std::isnan(value) ? 0.0f : value;
  return x;
}
std::vector<float> thinking_values(const gguf::TensorPlan& tensor) {
  return values_of(tensor, thinking_successors());
}

std::vector<float> random_values(const gguf::TensorPlan& tensor) {
  std::mt19937 generator(static_cast<uint32_t>(std::hash<std::string>{}(tensor.name)));
  std::vector<float> x(static_cast<size_t>(tensor.shape.n_elements()));
  for (float& value : x) {
    const float unit = static_cast<float>(generator()) * 0x1p-31f - 1;
    value = tensor.shape.n_dims == 1 ? 1 + 0.1f * unit : 0.2f * unit;
  }
  return x;
}

constexpr const char* kTemplate =
    "{% for m in messages %}"
    "{% if m.role == 'assistant' %}{{ m.content }}<|end|>{% else %}{{ '<|' + m.role + '|>' + "
    "m.content }}{% endif %}"
    "{% endfor %}";

}  // namespace

void write_chain_model(const std::filesystem::path& target, const ChainOptions& options) {
  const Sizes sizes{.n_ctx = options.n_ctx};
  MetadataDraft keys;
  set_sizes(keys, sizes);
  set_tokenizer(keys, options);
  if (options.chat_template) keys.set_text("tokenizer.chat_template", kTemplate);
  if (options.declare) options.declare(keys);
  auto tensors = plan_tensors(sizes, "f32");
  if (options.unused_tensor)
    tensors.push_back({options.unused_tensor, quant::find_format("f32"), {1, {4}}});
  write_model(target, keys, tensors,
              options.thinks   ? thinking_values
              : options.finite ? finite_values
                               : chain_values);
}

void write_random_model(const std::filesystem::path& target, const RandomOptions& options) {
  const Sizes sizes{
      .n_layer = 2, .n_embd = 256, .n_head = 4, .d_head = 64, .n_ff = options.n_ff, .n_ctx = 2048};
  MetadataDraft keys;
  set_sizes(keys, sizes);
  set_tokenizer(keys);
  write_model(target, keys, plan_tensors(sizes, options.format), random_values);
}

}  // namespace nibble::tests
