// nibble inspect: exact outputs on a model whose every fact is known.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/folder_model.h"
#include "tests/cli/model_fixture.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct InspectFixture : ChainFixture {
  using ChainFixture::ChainFixture;
  Ended inspect(Arguments arguments, std::string_view input = {}) const {
    arguments.insert(arguments.begin(), "inspect");
    return run_program(arguments, input, home);
  }
  Json json(Arguments arguments, std::string_view input = {}) const {
    const Ended end = inspect(std::move(arguments), input);
    INFO(end.err);
    REQUIRE(end.exit_code == 0);
    const auto parsed = parse_json(end.out);
    REQUIRE(parsed);
    return *parsed;
  }
};

}  // namespace

TEST_CASE("inspect tells architecture, sizes, types, tokenizer, template and licence") {
  const InspectFixture chain;
  const Json facts = chain.json({chain.model, "--json"});
  CHECK(facts["architecture"] == "llama");
  CHECK(facts["name"] == "chain");
  CHECK(facts["sizes"]["n_layer"] == 1);
  CHECK(facts["sizes"]["n_ctx_train"] == 256);
  CHECK(facts["n_params"] == 2 * 279 * 288 + 3 * 288 + 4 * 32 * 288 + 3 * 32 * 288);
  CHECK(facts["types"][0]["type"] == "f32");
  CHECK(facts["tokenizer"]["kind"] == "bpe");
  CHECK(facts["tokenizer"]["n_vocab"] == 279);
  CHECK(facts["tokenizer"]["ends"].size() == 2);
  CHECK(facts["chat_template_bytes"].is_number());
  CHECK(facts["licence"]["known"]["spdx"] == "Apache-2.0");
  CHECK(facts["runs"] == true);
  const Ended text = chain.inspect({chain.model});
  for (const char* words :
       {"architecture  llama", "commercial use: yes", "runs here     yes", "<|stop|>", "f32 "})
    CHECK(text.out.find(words) != std::string::npos);
  CHECK(text.err.empty());
}

TEST_CASE("inspect shows a base model's stricter licence beside the declared one") {
  const InspectFixture chain({.declare = [](MetadataDraft& keys) {
    keys.set_text("general.license", "mit");
    keys.set_u32("general.base_model.count", 1);
    keys.set_text("general.base_model.0.name", "Llama 3 8B");
  }});
  const Json licence = chain.json({chain.model, "--json"})["licence"];
  CHECK(licence["from"] == "general.license");
  CHECK(licence["conflict"] == true);
  CHECK(licence["commercial_use"] == "with conditions");
  CHECK(licence["known"]["id"] == "mit");
  CHECK(licence["others"][0]["licence"]["id"] == "llama3");
  const Ended text = chain.inspect({chain.model});
  for (const char* words : {"licence       mit (general.license)\n",
                            "conflict      base model Llama 3 8B: Meta Llama 3",
                            " commercial use: with conditions\n", "no legal advice", "2026-11-21"})
    CHECK_MESSAGE(text.out.find(words) != std::string::npos, words);
  CHECK(text.out.find("commercial use: yes") == std::string::npos);
}

TEST_CASE("inspect reads a folder's licence in its model card") {
  const TemporaryFolder folder;
  const auto model = folder.path() / "model";
  write_folder_model(model);
  folder.write("model/README.md",
               "---\nlicense: [apache-2.0]\nbase_model:\n- Qwen/Qwen2.5-3B\n---\n");
  const Ended end = run_program({"inspect", model, "--json"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  const Json licence = (*parse_json(end.out))["licence"];
  CHECK(licence["from"] == "README.md");
  CHECK(licence["commercial_use"] == "no");
}

TEST_CASE("convert writes all licences of a model card, and the strictest decides") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "model", out = folder.path() / "out.gguf";
  write_folder_model(model);
  folder.write("model/README.md", "---\nlicense:\n- mit\n- gemma\n---\n");
  REQUIRE(run_program({"convert", model, "-o", out}).exit_code == 0);
  const Ended end = run_program({"inspect", out, "--json"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  const Json licence = (*parse_json(end.out))["licence"];
  CHECK(licence["declared"] == "mit,gemma");
  CHECK(licence["commercial_use"] == "with conditions");
}

TEST_CASE("inspect tells what a file of an unknown family lacks instead of failing") {
  NIBBLE_NEED_DATA("gguf-vocabs/llama-spm.gguf");
  const InspectFixture chain;
  const Json facts = chain.json({data_dir() / "gguf-vocabs/llama-spm.gguf", "--json"});
  CHECK(facts["runs"] == false);
  CHECK(facts["tokenizer"]["kind"] == "sentencepiece");
}

TEST_CASE("inspect --metadata shows one line for each key, and cuts no character apart") {
  const ChainFixture chain({.declare = [](MetadataDraft& keys) {
    keys.set_text("a.short", "one\n\ttwo");
    keys.set_text("a.long", std::string(79, 'x') + "\xC3\xA9y");
  }});
  const Ended end = run_program({"inspect", chain.model, "--metadata"});
  CHECK(end.out.find("a.short = one\\n\\ttwo\n") != std::string::npos);
  CHECK(end.out.find("a.long = " + std::string(79, 'x') + "... (82 bytes)\n") != std::string::npos);
}

TEST_CASE("what a user wrote wrongly is named, and is nothing to fetch again") {
  const ChainFixture chain;
  const auto wrong = chain.folder.write("case.json", "{\"messages\": [}");
  const auto check = [](const Ended& end, const std::string& name) {
    CHECK(end.exit_code == 3);
    CHECK(end.err.starts_with("nibble: " + name + ": JSON line 1, column "));
    CHECK(end.err.find("fetch") == std::string::npos);
  };
  check(run_program({"inspect", "--detokenize", chain.model}, "[1,}"), "standard input");
  check(run_program({"inspect", "--render", "-", chain.model}, "[1,}"), "standard input");
  check(run_program({"inspect", "--render", wrong, chain.model}), wrong.string());
  const Ended none = run_program({"inspect", "--detokenize", chain.model}, "{}");
  CHECK(none.err == "nibble: standard input: not a JSON array of token ids\n");
}

TEST_CASE("inspect lists metadata and tensors") {
  const InspectFixture chain;
  const Json metadata = chain.json({chain.model, "--metadata", "--json"});
  CHECK(metadata["llama.block_count"] == 1);
  CHECK(metadata["tokenizer.ggml.tokens"].size() == 279);
  CHECK(chain.inspect({chain.model, "--metadata", "--key", "general.name"}).out == "chain\n");
  CHECK(chain.inspect({chain.model, "--metadata"}).out.find("llama.block_count = 1\n") !=
        std::string::npos);
  const Json tensors = chain.json({chain.model, "--tensors", "--json"});
  CHECK(tensors[0] == Json{{"name", "token_embd.weight"},
                           {"type", "f32"},
                           {"shape", {279, 288}},
                           {"bytes", 279 * 288 * 4}});
}

TEST_CASE("inspect lists the installed models") {
  const InspectFixture chain;
  const Ended none = chain.inspect({});
  CHECK(none.exit_code == 0);
  CHECK(none.out.empty());
  const auto installed = chain.folder.path() / "nibble/models";
  std::filesystem::create_directories(installed);
  std::filesystem::copy(chain.model, installed / "mine.gguf");
  const Json list = chain.json({"--json"});
  REQUIRE(list.size() == 1);
  CHECK(list[0]["name"] == "mine.gguf");
  CHECK(chain.inspect({}).out.starts_with("mine.gguf"));
}

TEST_CASE("inspect turns text to ids and back, every byte of it") {
  const InspectFixture chain;
  CHECK(chain.inspect({"--tokenize", chain.model}, "Hello world!\n").out == "[260, 261, 33, 10]\n");
  CHECK(chain.inspect({"--tokenize", chain.model}, "<|end|>a").out == "[256, 97]\n");
  CHECK(chain.inspect({"--tokenize", "--no-special", chain.model}, "").out == "[]\n");
  CHECK(chain.inspect({"--detokenize", chain.model}, "[260, 261, 33, 10]").out == "Hello world!\n");
  CHECK(chain.inspect({"--detokenize", chain.model}, "[255, 256]").out == "\xEF\xBF\xBD<|end|>");
  for (const char* wrong : {"[1,", "{}", "[1.5]", "[-1]", "[279]", "[\"a\"]", ""}) {
    const Ended end = chain.inspect({"--detokenize", chain.model}, wrong);
    CHECK(end.exit_code == 3);
    CHECK(end.out.empty());
  }
}

TEST_CASE("inspect renders a conversation through a model's template or a bare one") {
  const InspectFixture chain;
  const auto conversation = chain.folder.write(
      "case.json",
      R"({"messages": [{"role": "user", "content": "a"}], "bos_token": "<s>", "now": "2026-01-02T00:00:00"})");
  const auto bare = chain.folder.write(
      "bare.jinja", "{{ bos_token }}{{ messages[0].content }}{{ strftime_now('%Y') }}");
  CHECK(chain.inspect({"--render", conversation, chain.model}).out == "<|user|>a");
  CHECK(chain.inspect({"--render", conversation, bare}).out == "<s>a2026");
  CHECK(chain.inspect({"--template", chain.model}).out.starts_with("{% for m in messages %}"));
  CHECK(chain.inspect({"--render", chain.folder.write("no.json", "{}"), bare}).exit_code == 3);
  CHECK(chain.inspect({"--render", "/does/not/exist.json", bare}).exit_code == 3);
}
