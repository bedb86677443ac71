// tokenizer.json files of every kind that the project carries, with ids that the `tokenizers`
// package 0.23.3 gave.
#include <thread>

#include "core/base/json.h"
#include "tests/temporary_folder.h"
#include "tests/text/tokenizer_cases.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
std::filesystem::path carried(const std::string& name) {
  return source_dir() / "tests/data/tokenizers" / name;
}

std::unique_ptr<Tokenizer> load(const std::filesystem::path& folder) {
  auto tokenizer = Tokenizer::from_folder(folder);
  REQUIRE_MESSAGE(tokenizer.has_value(), (tokenizer ? "" : tokenizer.error().message));
  return std::move(*tokenizer);
}

void check_carried(const std::string& name) {
  const auto tokenizer = load(carried(name));
  const Json cases = read_json(carried(name) / "cases.json");
  REQUIRE(!cases.empty());
  for (const Json& wanted : cases) check_case(*tokenizer, wanted);
}
}  // namespace

TEST_CASE("byte-level BPE as Llama 3 has it, normalized") { check_carried("byte_bpe"); }
TEST_CASE("bytes mapped before digits and three-digit groups, as Falcon has it") {
  check_carried("byte_bpe_mapped_early");
}
TEST_CASE("SentencePiece BPE with byte fallback, as Llama 2 has it") { check_carried("spm_bpe"); }
TEST_CASE("BPE behind Metaspace that marks the beginning only") { check_carried("metaspace_bpe"); }
TEST_CASE("Unigram") { check_carried("unigram"); }
TEST_CASE("WordPiece with BERT's normalizer") { check_carried("word_piece"); }
TEST_CASE("BPE with a word-end suffix behind class intersections") {
  check_carried("word_end_bpe");
}
TEST_CASE("BPE with a prefix inside of words") { check_carried("subword_prefix_bpe"); }

TEST_CASE("BPE without an unknown token: what vanishes lets its neighbours merge") {
  TemporaryFolder folder;
  folder.write("tokenizer.json", R"({"version": "1.0", "added_tokens": [], "model": {"type": "BPE",
      "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})");
  const auto ids = load(folder.path())->encode("a\u00e9b \u4f60ab", {});
  REQUIRE(ids.has_value());
  CHECK(*ids == std::vector<TokenId>{2, 2});
}

TEST_CASE("byte fallback behind a byte-level pre-tokenizer: the bytes of the mapped characters") {
  TemporaryFolder folder;
  folder.write("tokenizer.json", R"({"added_tokens": [], "pre_tokenizer": {"type": "ByteLevel",
      "add_prefix_space": false, "use_regex": false}, "model": {"type": "BPE", "unk_token": "<unk>",
      "byte_fallback": true, "merges": [], "vocab": {"a": 0, "<unk>": 1, "<0xC3>": 2, "<0x83>": 3,
      "<0xC2>": 4, "<0xA3>": 5}}})");
  const auto tokenizer = load(folder.path());
  // As the `tokenizers` package 0.23.3 has it.
  CHECK(*tokenizer->encode("a\u00e3a") == std::vector<TokenId>{0, 2, 3, 4, 5, 0});
  CHECK(*tokenizer->encode("a b") == std::vector<TokenId>{0, 1, 1});
}

TEST_CASE("GPT-2's vocab.json and merges.txt, in a folder without a tokenizer.json") {
  const Json model = read_json(carried("byte_bpe") / "tokenizer.json")["model"];
  TemporaryFolder folder;
  folder.write("vocab.json", dump_json(model["vocab"]));
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : model["merges"]) merges += merge.get<std::string>() + "\n";
  folder.write("merges.txt", merges);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": "</s>",
      "added_tokens_decoder": {"1": {"content": "</s>", "special": true}}})");
  const auto tokenizer = load(folder.path());
  // As the `tokenizers` package 0.23.3 has it: models.BPE behind pre_tokenizers.ByteLevel.
  const std::pair<const char*, std::vector<TokenId>> rows[] = {
      {"the cat was in the rain, caf\u00e9 1234  x\n",
       {268, 270, 85, 265, 84,  222, 261, 283, 222, 83, 272,
        13,  270, 71, 300, 222, 327, 328, 222, 222, 89, 200}},
      {"</s>it's  we'll\t!", {1, 74, 85, 319, 222, 263, 70, 321, 199, 2}}};
  for (const auto& [text, ids] : rows) {
    const auto got = tokenizer->encode(text);
    REQUIRE(got);
    CHECK(*got == ids);
    CHECK(tokenizer->decode(*got).value_or("") == text);
  }
  CHECK(tokenizer->eos() == 1);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
  const auto other = Tokenizer::from_folder(folder.path());
  REQUIRE(!other);
  CHECK(other.error().message.ends_with(
      "the tokenizer \"Qwen2Tokenizer\" without a tokenizer.json is not read"));
}

TEST_CASE("bytes that are no UTF-8 become byte tokens where there are any, else U+FFFD") {
  for (const char* name : {"byte_bpe", "spm_bpe"}) {
    CAPTURE(name);
    const auto tokenizer = load(carried(name));
    const auto ids = tokenizer->encode("a\xFF\xE2\x82z", {.add_special = false});
    REQUIRE(ids.has_value());
    std::string bytes;
    for (const TokenId id : *ids) bytes += tokenizer->piece(id);
    CHECK(bytes.ends_with("a\xFF\xE2\x82z"));
  }
  const auto no_bytes = load(carried("unigram"));
  CHECK(*no_bytes->encode("a\xFFz") == *no_bytes->encode("a\uFFFDz"));
}

TEST_CASE("pieces of a text with a beginning add up to it") {
  const std::string text = "the caf\u00e9 \u4e2d\u6587 \U0001F600 <s>";
  for (const char* name : {"byte_bpe", "spm_bpe"}) {
    const auto tokenizer = load(carried(name));
    const auto ids = tokenizer->encode(text, {.add_special = false});
    std::string all;
    for (const TokenId id : *ids) all += tokenizer->piece(id, true);
    CHECK(all.ends_with(text));
    CHECK(tokenizer->piece(*tokenizer->find("<s>")) == "");
    CHECK(tokenizer->piece(*tokenizer->find("<s>"), true) == "<s>");
  }
}

TEST_CASE("what the tokenizer says of its special tokens") {
  const auto tokenizer = load(carried("byte_bpe"));
  CHECK(tokenizer->kind() == "bpe");
  CHECK(tokenizer->is_control(*tokenizer->find("</s>")));
  CHECK(!tokenizer->is_control(*tokenizer->find("<mark>")));
  CHECK(tokenizer->is_end(*tokenizer->find("</s>")));
  CHECK(!tokenizer->bos().has_value());  // no file beside it names one
  CHECK(!tokenizer->find("no such token").has_value());
  CHECK(tokenizer->token_text(-1).empty());
  CHECK(tokenizer->piece(tokenizer->n_vocab()).empty());
  const auto outside = tokenizer->decode(std::vector<TokenId>{tokenizer->n_vocab()});
  REQUIRE(!outside.has_value());
  CHECK(outside.error().kind == ErrorKind::kInvalidInput);
}

TEST_CASE("several threads encode at once") {
  const auto tokenizer = load(carried("byte_bpe"));
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "word" + std::to_string(i * 7919 % 1000) + " ";
  const auto wanted = *tokenizer->encode(text);
  std::vector<std::vector<TokenId>> got(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : got) threads.emplace_back([&] { ids = *tokenizer->encode(text); });
  }
  for (const auto& ids : got) CHECK(ids == wanted);
}

TEST_CASE("more words than the cache holds give the same ids as each alone") {
  const auto tokenizer = load(carried("byte_bpe"));
  std::string text;
  std::vector<TokenId> wanted;
  for (int i = 0; i < 50000; ++i) {
    const std::string word = " w" + std::to_string(i * 40503 % 65536) + "x";
    text += word;
    if (i % 1000 != 0) continue;
    CHECK(*load(carried("byte_bpe"))->encode(word) == *tokenizer->encode(word));
  }
  const auto once = *tokenizer->encode(text);
  CHECK(once == *tokenizer->encode(text));
  CHECK(*tokenizer->decode(std::span(once).subspan(1, once.size() - 2)) == text);
}

TEST_CASE("folders without a tokenizer name what they lack") {
  const auto nothing = Tokenizer::from_folder(source_dir() / "tests/data");
  REQUIRE(!nothing.has_value());
  CHECK(nothing.error().kind == ErrorKind::kNotFound);
  CHECK(nothing.error().message.contains("none of tokenizer.json, tokenizer.model and vocab.json"));
}
