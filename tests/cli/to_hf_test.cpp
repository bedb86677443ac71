// nibble convert with adapters and to Hugging Face folders.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/adapted_model.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("convert --to hf writes a folder that is the model, its tokenizer and its card") {
  const AdaptedModel f;
  const Ended end = f.run({"convert", f.gguf, "--to", "hf", "-o", f.back, "--json"});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  const auto result = parse_json(end.out);
  REQUIRE(result);
  CHECK((*result)["torch_dtype"] == "bfloat16");
  CHECK(f.greedy(f.back) == f.greedy(f.model));
  const auto config = parse_json(f.folder.read("back/config.json"));
  REQUIRE(config);
  CHECK((*config)["architectures"][0] == "LlamaForCausalLM");
  CHECK((*config)["torch_dtype"] == "bfloat16");
  CHECK(f.folder.read("back/README.md").find("license: \"mit\"") != std::string::npos);
  CHECK(f.run({"convert", f.gguf, "--to", "hf", "-o", f.back}).exit_code == 2);
  CHECK(f.run({"convert", f.gguf, "--to", "hf", "-o", f.back, "--force"}).exit_code == 0);
  CHECK(f.run({"convert", f.back, "--to", "hf", "-o", f.back, "--force"}).exit_code == 2);
}

TEST_CASE("convert --to hf takes three types, and none of the options for GGUF files") {
  const AdaptedModel f;
  const Ended end = f.run({"convert", f.gguf, "--to", "hf", "-o", f.back, "--type", "q4_k_m"});
  CHECK(end.exit_code == 2);
  CHECK(end.err.find("takes f32, f16 or bf16") != std::string::npos);
  CHECK(f.run({"convert", f.gguf, "--to", "hf", "-o", f.back, "--dry-run"}).exit_code == 2);
  CHECK(f.run({"convert", f.gguf, "--to", "pt", "-o", f.back}).exit_code == 2);
  CHECK_FALSE(std::filesystem::exists(f.back));
  CHECK(f.run({"convert", f.gguf, "--to", "hf", "-o", f.back, "--type", "f32"}).exit_code == 0);
}

TEST_CASE("convert --to hf --lora writes a folder with the adapter merged") {
  const AdaptedModel f;
  const std::string want = f.greedy(f.model, {"--lora", f.adapter});
  REQUIRE(
      f.run({"convert", f.gguf, "--lora", f.adapter, "--to", "hf", "-o", f.back, "--type", "f32"})
          .exit_code == 0);
  CHECK(f.greedy(f.back) == want);
}
