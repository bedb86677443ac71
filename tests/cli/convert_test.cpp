// nibble convert, as a shell sees it: what is written, proved and refused.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <fstream>

#include "core/base/json.h"
#include "formats/gguf_write.h"
#include "formats/metadata_draft.h"
#include "formats/weight_file.h"
#include "tests/cli/folder_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct ConvertFixture {
  TemporaryFolder folder;
  std::string model, out;

  explicit ConvertFixture(const FolderOptions& options = {})
      : model(folder.path() / "model"), out(folder.path() / "out.gguf") {
    write_folder_model(model, options);
  }
  Ended run(Arguments arguments, std::string_view input = {}) const {
    return run_program(arguments, input, {{"XDG_DATA_HOME", folder.path().string()}});
  }
  Ended convert(Arguments more = {}) const {
    Arguments arguments = {"convert", model, "-o", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  Json inspect(Arguments arguments) const {
    arguments.insert(arguments.begin(), "inspect");
    arguments.push_back("--json");
    const Ended end = run(arguments);
    REQUIRE_MESSAGE(end.exit_code == 0, end.err);
    return *parse_json(end.out);
  }
  std::string greedy(const std::string& path) const {
    const Ended end = run({"eval", path, "--token-ids", "84,104,101,32,97", "--greedy", "16"});
    REQUIRE_MESSAGE(end.exit_code == 0, end.err);
    return end.out;
  }
};

}  // namespace

TEST_CASE("convert carries sampling defaults, and refuses numbers that are none") {
  const ConvertFixture f;
  const std::filesystem::path folder = f.model;
  const auto declare = [&](const char* json) {
    std::ofstream(folder / "generation_config.json") << json;
    return f.convert({"--force"});
  };
  REQUIRE(declare(R"({"top_k": -1, "top_p": 0.95, "temperature": 0.6})").exit_code == 0);
  const Json keys = f.inspect({f.out, "--metadata"});
  CHECK(keys["general.sampling.top_k"] == -1);
  CHECK(run_program({"run", f.out, "-p", "a", "-n", "1", "--raw"}).exit_code == 0);
  const std::string back = f.folder.path() / "back";
  REQUIRE(f.run({"convert", f.out, "--to", "hf", "-o", back}).exit_code == 0);
  CHECK(f.folder.read("back/generation_config.json").find("\"top_k\": -1,") != std::string::npos);
  for (const char* wrong : {R"({"top_k": 1e30})", R"({"repetition_penalty": 0})"}) {
    const Ended end = declare(wrong);
    CHECK(end.exit_code == 3);
    CHECK(end.err.find("generation_config.json: ") != std::string::npos);
    CHECK(run_program({"run", f.model, "-p", "a", "-n", "1", "--raw"}).exit_code == 3);
  }
}

TEST_CASE("convert writes what llama.cpp reads, keeps the precision, and proves it") {
  const ConvertFixture f;
  const Ended end = f.convert({"--verify"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  CHECK(end.out.find("0 mismatches") != std::string::npos);
  const Json facts = f.inspect({f.out});
  CHECK(facts["architecture"] == "llama");
  CHECK(facts["licence"]["known"]["spdx"] == "MIT");
  CHECK(facts["tokenizer"]["n_vocab"] == 259);
  const Ended metadata = f.run({"inspect", f.out, "--metadata"});
  for (const char* words :
       {"llama.rope.dimension_count", "general.sampling.top_k", "tokenizer.chat_template.tool_use",
        "general.base_model.0.repo_url", "nibble.source.sha256", "nibble.commands", "gpt-2"})
    CHECK_MESSAGE(metadata.out.find(words) != std::string::npos, words);
  const Ended tensors = f.run({"inspect", f.out, "--tensors"});
  CHECK(tensors.out.find("blk.1.attn_q.weight") != std::string::npos);
  CHECK(tensors.out.find("bf16") != std::string::npos);
  CHECK(f.greedy(f.out) == f.greedy(f.model));
  const auto json = parse_json(f.convert({"--verify", "--json", "--force"}).out);
  REQUIRE(json);
  CHECK((*json)["verified"][0]["mismatches"] == 0);
  CHECK((*json)["outputs"][0]["tensors"].size() == 21);
}

TEST_CASE("the same folder gives the same bytes, wherever it stands") {
  const ConvertFixture f;
  REQUIRE(f.convert().exit_code == 0);
  const std::string first = f.folder.read("out.gguf");
  std::filesystem::create_directory(f.folder.path() / "elsewhere");
  std::filesystem::rename(f.model, f.folder.path() / "elsewhere/model");
  const Ended end =
      f.run({"convert", f.folder.path() / "elsewhere/model", "-o", f.out, "--force", "-t", "1"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  CHECK(f.folder.read("out.gguf") == first);
}

TEST_CASE("straight to another type is the same as converting and then quantizing") {
  const ConvertFixture f;
  const std::string plain = f.folder.path() / "plain.gguf", two = f.folder.path() / "two.gguf",
                    three = f.folder.path() / "three.gguf";
  REQUIRE(f.convert({"--type", "q4_k_m"}).exit_code == 0);
  REQUIRE(f.run({"convert", f.model, "-o", plain}).exit_code == 0);
  REQUIRE(f.run({"quantize", plain, two, "--type", "q4_k_m"}).exit_code == 0);
  REQUIRE(f.run({"quantize", f.model, three, "--type", "q4_k_m"}).exit_code == 0);
  CHECK(f.folder.read("out.gguf") == f.folder.read("two.gguf"));
  CHECK(f.folder.read("out.gguf") == f.folder.read("three.gguf"));
}

TEST_CASE("convert splits, and merges what was split") {
  const ConvertFixture f;
  const std::string whole = f.folder.path() / "whole.gguf";
  REQUIRE(f.convert({"--max-shard", "60k"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(f.out));
  std::string part;
  for (const auto& entry : std::filesystem::directory_iterator(f.folder.path()))
    if (entry.path().filename().native().starts_with("out-00002-of-")) part = entry.path();
  REQUIRE_FALSE(part.empty());
  const Ended end = f.run({"convert", part, "-o", whole, "--verify"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  REQUIRE(f.convert().exit_code == 0);
  CHECK(f.folder.read("whole.gguf") == f.folder.read("out.gguf"));
}

TEST_CASE("convert does not split into more files than can be read") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "model.gguf", out = folder.path() / "out.gguf";
  MetadataDraft keys;
  keys.set_text("general.architecture", "llama");
  std::vector<gguf::TensorPlan> tensors;
  for (int i = 0; i < 1025; ++i)
    tensors.push_back({std::to_string(i), quant::find_format("f32"), {1, {1}}});
  auto writer =
      gguf::Writer::create(gguf::lay_out({model, keys.entries(), tensors}), tensors, false);
  REQUIRE(writer);
  for (size_t i = 0; i < tensors.size(); ++i) REQUIRE(writer->write(std::array<std::byte, 4>()));
  REQUIRE(writer->commit());
  const Ended end = run_program({"convert", model, "-o", out, "--max-shard", "4k", "--dry-run"});
  CHECK(end.exit_code == 2);
  CHECK(end.err.find("1025 files, of which 1024 can be read") != std::string::npos);
}

TEST_CASE("the files that a conversion read are noted with their hashes") {
  const ConvertFixture f;
  const auto write = [&](const char* name, const std::string& text) {
    f.folder.write(std::string("model/") + name, text);
  };
  const auto json = parse_json(f.folder.read("model/tokenizer.json"));
  REQUIRE(json);
  Json vocabulary = (*json)["model"]["vocab"];
  vocabulary["<|endoftext|>"] = 256;
  write("vocab.json", dump_json(vocabulary));
  write("merges.txt", "#version: 0.2\nt h\n");
  write("added_tokens.json", R"({"<|more|>": 257})");
  write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  write("chat_template.json", R"({"chat_template": "{{ messages[0].content }}"})");
  write("additional_chat_templates/tools.jinja", "tools");
  write("notes.txt", "not read");
  std::filesystem::remove(f.folder.path() / "model/tokenizer.json");
  const auto weights = open_weight_file(f.model);
  REQUIRE_MESSAGE(weights, weights.error().message);
  Json map = Json::object();
  for (const TensorView& t : (*weights)->tensors()) map[std::string(t.name)] = "model.safetensors";
  write("model.safetensors.index.json", dump_json(Json{{"weight_map", map}}));
  const Ended end = f.convert();
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  const auto made = open_weight_file(f.out);
  REQUIRE(made);
  const auto texts = [&](std::string_view key) {
    const auto found = (*made)->metadata().get_strings(key);
    REQUIRE((found && *found));
    return std::vector<std::string>((*found)->begin(), (*found)->end());
  };
  auto files = texts("nibble.source.files");
  CHECK(texts("nibble.source.sha256").size() == files.size());
  std::ranges::sort(files);
  CHECK(files == std::vector<std::string>{
                     "README.md", "added_tokens.json", "additional_chat_templates/tools.jinja",
                     "chat_template.json", "config.json", "generation_config.json", "merges.txt",
                     "model.safetensors", "model.safetensors.index.json", "tokenizer_config.json",
                     "vocab.json"});
}

TEST_CASE("a cast that loses weights is counted, and one to infinity refused") {
  const ConvertFixture f({.largest = 1e5f});
  const Ended refused = f.convert({"--type", "f16"});
  CHECK(refused.exit_code == 3);
  CHECK(refused.err.find("blk.0.ffn_up.weight") != std::string::npos);
  CHECK(refused.err.find("--force") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(f.out));
  const Ended forced = f.convert({"--type", "f16", "--force"});
  CHECK(forced.exit_code == 0);
  CHECK(forced.out.find("1 weights beyond the type's range") != std::string::npos);
  CHECK(f.convert({"--force"}).exit_code == 0);  // as stored, nothing is lost
}

TEST_CASE("what cannot be converted is refused before anything is written") {
  const auto refusal = [](const FolderOptions& options) {
    const ConvertFixture f(options);
    const Ended end = f.convert();
    CHECK(end.exit_code == 3);
    CHECK_FALSE(std::filesystem::exists(f.out));
    return end.err;
  };
  CHECK(refusal({.missing = "model.layers.1.mlp.down_proj.weight"})
            .find("'model.layers.1.mlp.down_proj.weight' is missing") != std::string::npos);
  CHECK(refusal({.regex = "(?<name>x)(?P=name)(?R)["}).find("tokenizer.json") != std::string::npos);
  const ConvertFixture without;
  std::filesystem::remove(std::filesystem::path(without.model) / "tokenizer.json");
  const Ended end = without.convert();
  CHECK(end.exit_code == 3);
  CHECK(end.err.find("none of tokenizer.json, tokenizer.model") != std::string::npos);
  CHECK(refusal({.largest = INFINITY}).find("not a finite number") != std::string::npos);
}

TEST_CASE("a pre-tokenizer that llama.cpp has no name for is told, and works all the same") {
  const ConvertFixture f({.regex = "[a-m]+|[^a-m]+"});
  const Ended end = f.convert({"--verify"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  CHECK(end.err.find("llama.cpp has no name for this tokenizer") != std::string::npos);
  CHECK(end.out.find("0 mismatches") != std::string::npos);
}

TEST_CASE("convert's usage") {
  const ConvertFixture f({.tokenizer = false});
  CHECK(f.convert({"--tensor", "x=q8_0"}).exit_code == 2);
  CHECK(f.convert({"--type", "q0"}).exit_code == 2);
  CHECK(f.convert({"--dry-run", "--verify"}).exit_code == 2);
  CHECK(f.run({"convert", f.model}).exit_code == 2);
  CHECK(f.run({"convert", f.folder.path() / "nothing", "-o", f.out}).exit_code == 3);
  const Ended dry = f.convert({"--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(f.out));
  const Ended end = f.convert();
  REQUIRE(end.exit_code == 0);
  CHECK(end.err.find("no tokenizer") != std::string::npos);
  CHECK(f.convert().exit_code == 2);  // it is there already
  const auto size = std::to_string(std::filesystem::file_size(f.out));
  CHECK(dry.out.find(size + " bytes") != std::string::npos);
}
