// Adapters' files: what is read, and what is refused by name.
#include "formats/lora_file.h"

#include <doctest/doctest.h>

#include <cmath>

#include "formats/metadata_draft.h"
#include "tests/adapter_files.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr const char* kModule = "model.layers.0.self_attn.q_proj";

std::vector<AdapterPair> one_pair() { return {random_pair(kModule, 2, 6, 4)}; }

// What opening a folder with these members in its configuration says; "": nothing.
std::string fault_of(const std::string& more, int64_t rank = 2) {
  const TemporaryFolder folder;
  write_peft_adapter(folder.path(), one_pair(), rank, 8, more);
  const auto file = LoraFile::open(folder.path());
  return file ? "" : file.error().message;
}

float scale_of(const std::string& more, int64_t rank = 2) {
  const TemporaryFolder folder;
  write_peft_adapter(folder.path(), one_pair(), rank, 8, more);
  const auto file = LoraFile::open(folder.path());
  REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
  return file->pairs()[0].scale;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A GGUF adapter of these keys, as they stand, and one pair of matrices with these dimensions.
std::string gguf_fault(const GgufBytes& keys, uint64_t n_keys, std::vector<uint64_t> a = {4, 2},
                       std::vector<uint64_t> b = {2, 6}, const char* second = "w.lora_b") {
  const TemporaryFolder folder;
  GgufBytes bytes(2, n_keys);
  bytes.raw(keys.str()).tensor("w.lora_a", a, 0, 0).tensor(second, b, 0, 64).pad().zeros(256);
  const auto file = LoraFile::open(folder.write("adapter.gguf", bytes.str()));
  return file ? "" : file.error().message;
}

GgufBytes adapter_keys(const char* type = "lora") {
  GgufBytes keys;
  keys.key_text("general.type", "adapter").key_text("adapter.type", type);
  return keys.key("adapter.lora.alpha", 6).value(8.0f);
}

}  // namespace

TEST_CASE("a PEFT folder gives pairs and their scale") {
  const TemporaryFolder folder;
  write_peft_adapter(folder.path(), one_pair(), 2, 8);
  const auto file = LoraFile::open(folder.path() / "adapter_model.safetensors");
  REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
  REQUIRE(file->pairs().size() == 1);
  CHECK(file->has_hf_names());
  const LoraPair& pair = file->pairs()[0];
  CHECK(pair.name == std::string(kModule) + ".weight");
  CHECK(pair.a.shape == Shape{2, {2, 4}});
  CHECK(pair.b.shape == Shape{2, {6, 2}});
  CHECK(pair.scale == 4.0f);
}

TEST_CASE("scales: rsLoRA, and patterns of ranks and alphas by the end of a module's name") {
  CHECK(scale_of(R"(, "use_rslora": true)") == doctest::Approx(8 / std::sqrt(2.0)));
  CHECK(scale_of(R"(, "alpha_pattern": {"q_proj": 6})") == 3.0f);
  CHECK(scale_of(R"(, "alpha_pattern": {"self_attn.q_proj": 6})") == 3.0f);
  CHECK(scale_of(R"(, "alpha_pattern": {"^self_attn.q_proj": 6})") == 4.0f);
  CHECK(scale_of(R"(, "alpha_pattern": {"_proj": 6})") == 4.0f);
  CHECK(scale_of(R"(, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {})", 16) == 4.0f);
}

TEST_CASE("what is no pair of matrices is refused by name") {
  CHECK(fault_of("") == "");
  CHECK(fault_of(R"(, "use_dora": false, "modules_to_save": null, "bias": "none")") == "");
  CHECK(has(fault_of(R"(, "use_dora": true)"), "adapter_config.json: 'use_dora': DoRA"));
  CHECK(has(fault_of(R"(, "modules_to_save": ["lm_head"])"), "'modules_to_save': modules whose"));
  CHECK(has(fault_of(R"(, "bias": "all")"), "'bias' is \"all\": trained biases"));
  CHECK(has(fault_of(R"(, "init_lora_weights": "pissa_niter_4")"), "for a base that was changed"));
  CHECK(has(fault_of(R"(, "alpha_pattern": {"q.*": 6})"), "'q.*' is an expression"));
  CHECK(has(fault_of("", 4), "rank 2, but adapter_config.json says 4"));
  CHECK(has(fault_of("", 0), "'r': a rank of 0"));
}

TEST_CASE("whole weights in an adapter are refused by name") {
  const TemporaryFolder folder;
  auto pairs = one_pair();
  write_peft_adapter(folder.path(), pairs, 2, 8);
  std::string file = folder.read("adapter_model.safetensors");
  const size_t at = file.find("self_attn.q_proj.lora_A");
  file.replace(at, 23, "embed_tokens.abcdefghij");
  folder.write("adapter_model.safetensors", file);
  const auto opened = LoraFile::open(folder.path());
  REQUIRE_FALSE(opened);
  CHECK(has(opened.error().message, "adapter_model.safetensors: tensor "));
  CHECK(has(opened.error().message, "a whole weight (of new tokens, or of modules_to_save)"));
}

TEST_CASE("GGUF adapters: read, or refused by name") {
  CHECK(gguf_fault(adapter_keys(), 3) == "");
  CHECK(
      has(gguf_fault(adapter_keys("control"), 3), "key 'adapter.type': 'control', expected lora"));
  CHECK(has(gguf_fault(GgufBytes().key_text("general.type", "model"), 1), "is a model, not an ad"));
  CHECK(has(gguf_fault(adapter_keys().array("adapter.alora.invocation_tokens", 4, 0), 4),
            "some tokens switch on"));
  CHECK(has(gguf_fault(adapter_keys(), 3, {4, 3}), "A is [3, 4] and B [6, 2], expected"));
  CHECK(has(gguf_fault(adapter_keys(), 3, {4, 2}, {2, 6}, "w.norm"), "ends in .lora_a or .lora_b"));
  CHECK(
      has(gguf_fault(adapter_keys(), 3, {4, 2}, {2, 6}, "x.lora_b"), "'w': B of the pair is mis"));
}

TEST_CASE("folders and files that are no adapter say so") {
  const TemporaryFolder folder;
  const auto empty = LoraFile::open(folder.path());
  REQUIRE_FALSE(empty);
  CHECK(has(empty.error().message, "a folder without an adapter: it has no adapter_config.json"));
  folder.write("adapter_config.json", R"({"r": 2, "lora_alpha": 8})");
  const auto bare = LoraFile::open(folder.path());
  REQUIRE_FALSE(bare);
  CHECK(has(bare.error().message, "has neither adapter_model.safetensors nor adapter_model.bin"));
  CHECK_FALSE(LoraFile::open(folder.path() / "missing.gguf"));
}
