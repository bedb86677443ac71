// Tokenizers from GGUF keys, held in memory.
#include <algorithm>
#include <array>

#include "core/text/byte_level.h"
#include "core/text/llama_cpp_names.h"
#include "tests/text/tokenizer_cases.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
constexpr std::array<std::string_view, 94> kNames = {"gpt-2",
                                                     "phi-2",
                                                     "jina-es",
                                                     "jina-de",
                                                     "jina-v2-es",
                                                     "jina-v2-de",
                                                     "gigachat",
                                                     "a.x-4.0",
                                                     "mellum",
                                                     "modern-bert",
                                                     "exaone4",
                                                     "mpt",
                                                     "olmo",
                                                     "jais",
                                                     "trillion",
                                                     "granite-docling",
                                                     "jina-v1-en",
                                                     "jina-v2-code",
                                                     "roberta-bpe",
                                                     "starcoder",
                                                     "refact",
                                                     "command-r",
                                                     "smollm",
                                                     "codeshell",
                                                     "exaone",
                                                     "minerva-7b",
                                                     "mellum2",
                                                     "llama3",
                                                     "llama-v3",
                                                     "llama-bpe",
                                                     "falcon3",
                                                     "falcon-h1",
                                                     "pixtral",
                                                     "midm-2.0",
                                                     "lfm2",
                                                     "jina-v5-nano",
                                                     "dbrx",
                                                     "smaug-bpe",
                                                     "chatglm-bpe",
                                                     "glm4",
                                                     "glm5",
                                                     "qwen2",
                                                     "deepseek-r1-qwen",
                                                     "kormo",
                                                     "f2llmv2",
                                                     "megrez",
                                                     "stablelm2",
                                                     "hunyuan",
                                                     "solar-open",
                                                     "grok-2",
                                                     "qwen35",
                                                     "gpt-4o",
                                                     "llama4",
                                                     "kanana2",
                                                     "talkie",
                                                     "minimax-m2",
                                                     "tekken",
                                                     "deepseek-v3",
                                                     "hunyuan-dense",
                                                     "joyai-llm",
                                                     "hy_v4",
                                                     "spark2_5",
                                                     "deepseek-llm",
                                                     "deepseek-coder",
                                                     "falcon",
                                                     "default",
                                                     "poro-chat",
                                                     "bloom",
                                                     "gpt3-finnish",
                                                     "viking",
                                                     "jais-2",
                                                     "youtu",
                                                     "tiny_aya",
                                                     "cohere2moe",
                                                     "superbpe",
                                                     "bailingmoe",
                                                     "bailingmoe2",
                                                     "llada-moe",
                                                     "seed-coder",
                                                     "kimi-k2",
                                                     "minicpm5",
                                                     "chameleon",
                                                     "afmoe",
                                                     "laguna",
                                                     "exaone-moe",
                                                     "ufakzeka",
                                                     "granite-embed-multi-97m",
                                                     "gemma4",
                                                     "granite-embed-multi-311m",
                                                     "sarvam-moe",
                                                     "whitespace"};

// A vocabulary of the 256 bytes and two control tokens.
Metadata byte_vocabulary(std::string_view pre) {
  static const auto kTexts = [] {
    std::vector<std::string_view> texts;
    for (int b = 0; b < 256; ++b)
      texts.push_back(text::byte_to_text(static_cast<unsigned char>(b)));
    texts.push_back("<|endoftext|>");
    texts.push_back("<|im_end|>");
    return texts;
  }();
  std::vector<int64_t> types(kTexts.size(), 1);
  types[256] = types[257] = 3;
  Metadata out;
  out.add({"tokenizer.ggml.model", std::string_view("gpt2")});
  out.add({"tokenizer.ggml.pre", pre});
  out.add({"tokenizer.ggml.tokens", MetadataArray(kTexts)});
  out.add({"tokenizer.ggml.token_type", MetadataArray(std::move(types))});
  out.add({"tokenizer.ggml.merges", MetadataArray(std::vector<std::string_view>{})});
  out.add({"tokenizer.ggml.bos_token_id", uint64_t{256}});
  out.add({"tokenizer.ggml.eos_token_id", uint64_t{257}});
  return out;
}
}  // namespace

TEST_CASE("every pre-tokenizer name of llama.cpp splits a text without losing any of it") {
  const std::string text =
      "It's 12345 caf\u00e9s, na\u00efve\n\n\t  \u4e2d\u6587\u3002 \U0001F600 a1b2-c3!?";
  for (const std::string_view name : kNames) {
    if (name.empty()) continue;
    CAPTURE(name);
    const auto pipeline = text::named_pipeline(name);
    REQUIRE(pipeline.has_value());
    if (!pipeline->maps_bytes) continue;
    const Metadata metadata = byte_vocabulary(name);
    const auto tokenizer = Tokenizer::from_gguf(metadata);
    REQUIRE_MESSAGE(tokenizer.has_value(), (tokenizer ? "" : tokenizer.error().message));
    const auto ids = (*tokenizer)->encode(text, {.add_special = false});
    REQUIRE(ids.has_value());
    CHECK(*(*tokenizer)->decode(*ids) == text);
  }
}

TEST_CASE("a pre-tokenizer that is not known is refused by name") {
  const Metadata metadata = byte_vocabulary("brand-new");
  const auto tokenizer = Tokenizer::from_gguf(metadata);
  REQUIRE(!tokenizer.has_value());
  CHECK(tokenizer.error().kind == ErrorKind::kUnsupported);
  CHECK(tokenizer.error().message.contains("'brand-new'"));
}

TEST_CASE("beginning, end and ends of generation from keys and texts") {
  Metadata metadata = byte_vocabulary("llama-bpe");
  metadata.add({"tokenizer.ggml.add_eos_token", true});
  const auto tokenizer = Tokenizer::from_gguf(metadata);
  REQUIRE(tokenizer.has_value());
  CHECK((*tokenizer)->adds_bos());  // what the name says where the file does not
  CHECK((*tokenizer)->encode("!").value() == std::vector<TokenId>{256, 33, 257});
  CHECK((*tokenizer)->bos() == 256);
  CHECK(std::ranges::equal((*tokenizer)->end_tokens(), std::array{256, 257}));
  CHECK((*tokenizer)->encode("<|im_end|>", {false, true}).value() == std::vector<TokenId>{257});
  CHECK((*tokenizer)->encode("<|im_end|>", {false, false}).value().size() == 10);
}

TEST_CASE("the pipeline in the file wins over the name") {
  Metadata metadata = byte_vocabulary("brand-new");
  metadata.add(
      {"nibble.tokenizer.pipeline",
       std::string_view(R"({"normalizer": {"type": "Lowercase"}, "decoder": {"type": "ByteLevel"},
                  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
                  "model": {"type": "BPE"}})")});
  const auto tokenizer = Tokenizer::from_gguf(metadata);
  REQUIRE_MESSAGE(tokenizer.has_value(), (tokenizer ? "" : tokenizer.error().message));
  CHECK((*tokenizer)->decode((*tokenizer)->encode("ABC").value()).value() == "abc");
}

TEST_CASE("broken GGUF tokenizers are refused, naming the key") {
  const auto message = [](auto change) {
    Metadata metadata = byte_vocabulary("gpt-2");
    Metadata changed;
    for (Metadata::Entry entry : metadata.entries())
      if (change(entry)) changed.add(std::move(entry));
    const auto tokenizer = Tokenizer::from_gguf(changed);
    REQUIRE(!tokenizer.has_value());
    return tokenizer.error().message;
  };
  const auto without = [&](std::string_view key) {
    return message([key](auto& entry) { return entry.key != key; });
  };
  const auto with = [&](std::string_view key, const MetadataValue& value) {
    return message([&](auto& entry) {
      if (entry.key == key) entry.value = value;
      return true;
    });
  };
  CHECK(without("tokenizer.ggml.model").contains("tokenizer.ggml.model"));
  CHECK(without("tokenizer.ggml.tokens").contains("tokenizer.ggml.tokens"));
  CHECK(with("tokenizer.ggml.model", std::string_view("rwkv")).contains("'rwkv'"));
  CHECK(with("tokenizer.ggml.tokens", uint64_t{1}).contains("tokenizer.ggml.tokens"));
  CHECK(with("tokenizer.ggml.token_type", MetadataArray(std::vector<int64_t>{1}))
            .contains("token_type"));
  CHECK(with("tokenizer.ggml.merges", MetadataArray(std::vector<std::string_view>{"a b"}))
            .contains("merge 0"));
  CHECK(with("tokenizer.ggml.merges", MetadataArray(std::vector<std::string_view>{"ab"}))
            .contains("merge 0"));
}
