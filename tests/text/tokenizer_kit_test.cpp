// The kits: published tokenizers and those of the reference models, from folders and from GGUF
// files.
#include <algorithm>

#include "core/base/json.h"
#include "formats/weight_file.h"
#include "tests/text/tokenizer_cases.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
namespace fs = std::filesystem;

std::unique_ptr<Tokenizer> from_folder(const fs::path& folder) {
  auto tokenizer = Tokenizer::from_folder(folder);
  REQUIRE_MESSAGE(tokenizer.has_value(), (tokenizer ? "" : tokenizer.error().message));
  return std::move(*tokenizer);
}

struct FromGguf {
  explicit FromGguf(const fs::path& path) {
    auto opened = open_weight_file(path);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    file = std::move(*opened);
    auto read = Tokenizer::from_gguf(file->metadata());
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
    tokenizer = std::move(*read);
  }
  std::unique_ptr<WeightFile> file;
  std::unique_ptr<Tokenizer> tokenizer;
};

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> out;
  for (size_t begin = 0;;) {
    const size_t end = text.find(separator, begin);
    out.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    begin = end + separator.size();
  }
}

void check_kit(const fs::path& kit) {
  size_t n_models = 0;
  for (const auto& entry : fs::directory_iterator(kit)) {
    if (!fs::exists(entry.path() / "expected.json") ||
        fs::exists(entry.path() / "adapter_config.json"))
      continue;
    CAPTURE(entry.path().string());
    const auto tokenizer = from_folder(entry.path());
    const Json expected = read_json(entry.path() / "expected.json");
    for (const Json& wanted : expected["tokenizer"]["cases"]) check_case(*tokenizer, wanted);
    ++n_models;
  }
  CHECK(n_models > 0);
}
}  // namespace

TEST_CASE("published tokenizer.json files, text by text") {
  NIBBLE_NEED_DATA("tokenizer-cases");
  NIBBLE_NEED_DATA("hf-tokenizers");
  for (const std::string name : {"llama2", "llama3_1", "qwen3", "gemma3"}) {
    CAPTURE(name);
    const auto tokenizer = from_folder(data_dir() / "hf-tokenizers" / name);
    for (const std::string& line :
         split(read_text(data_dir() / "tokenizer-cases" / (name + ".jsonl")), "\n"))
      if (!line.empty()) check_case(*tokenizer, parse_json(line).value());
  }
}

TEST_CASE("vocabulary-only GGUF files") {
  NIBBLE_NEED_DATA("gguf-vocabs");
  for (const std::string name : {"deepseek-llm", "falcon", "gpt-2", "llama-spm", "phi-3"}) {
    const fs::path path = data_dir() / "gguf-vocabs" / (name + ".gguf");
    const FromGguf gguf(path);
    const auto texts = split(read_text(path.string() + ".inp"), "\n__ggml_vocab_test__\n");
    const auto lines = split(read_text(path.string() + ".out"), "\n");
    REQUIRE(lines.size() + 1 >= texts.size());
    for (size_t i = 0; i < texts.size() && i < lines.size(); ++i) {
      if (i + 1 == texts.size() && texts[i].empty()) continue;
      std::vector<TokenId> wanted;
      for (const std::string& word : split(lines[i], " "))
        if (!word.empty()) wanted.push_back(std::stoi(word));
      CAPTURE(name);
      CAPTURE(texts[i]);
      CHECK(gguf.tokenizer->encode(texts[i], {.add_special = false}).value() == wanted);
    }
  }
}

TEST_CASE("tokenizers of the reference models") {
  NIBBLE_NEED_DATA("reference-models");
  check_kit(data_dir() / "reference-models");
}

TEST_CASE("tokenizers of the source models: Unigram, tiktoken, SentencePiece files") {
  NIBBLE_NEED_DATA("source-models");
  check_kit(data_dir() / "source-models");
}

TEST_CASE("GGUF files of llama.cpp's converter encode as the folders they were made of") {
  NIBBLE_NEED_DATA("reference-gguf");
  NIBBLE_NEED_DATA("reference-models");
  for (const auto& entry : fs::directory_iterator(data_dir() / "reference-gguf")) {
    const std::string name = entry.path().stem();
    if (entry.path().extension() != ".gguf" ||
        name == "mixtral")  // its file cannot say "prefix at the start only"
      continue;
    CAPTURE(name);
    const FromGguf gguf(entry.path());
    const Json expected = read_json(data_dir() / "reference-models" / name / "expected.json");
    for (const Json& wanted : expected["tokenizer"]["cases"]) check_case(*gguf.tokenizer, wanted);
    const auto folder = from_folder(data_dir() / "reference-models" / name);
    CHECK(std::ranges::includes(gguf.tokenizer->end_tokens(), folder->end_tokens()));
  }
}
