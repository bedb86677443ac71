// nibble convert with adapters.
#include <doctest/doctest.h>

#include "tests/cli/adapted_model.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("convert --lora merges what eval --lora computes") {
  const AdaptedModel f;
  const std::string merged = f.folder.path() / "merged.gguf",
                    want = f.greedy(f.model, {"--lora", f.adapter});
  CHECK(want != f.greedy(f.model));
  for (const std::string& base : {f.model, f.gguf}) {
    const Ended end =
        f.run({"convert", base, "--lora", f.adapter, "-o", merged, "--type", "f32", "--force"});
    REQUIRE_MESSAGE(end.exit_code == 0, end.err);
    CHECK(f.greedy(merged) == want);
  }
}

TEST_CASE("convert --lora records the adapter: its scale, its files and their hashes") {
  const AdaptedModel f;
  const std::string merged = f.folder.path() / "merged.gguf";
  for (const std::string& base : {f.model, f.gguf}) {
    const Ended end =
        f.run({"convert", base, "--lora", f.adapter + ":0.5", "-o", merged, "--force"});
    REQUIRE_MESSAGE(end.exit_code == 0, end.err);
    const Ended keys = f.run({"inspect", merged, "--metadata"});
    for (const char* words : {"nibble convert IN -o OUT --lora FILE:0.5", "nibble.lora.sha256",
                              "adapter_model.safetensors"})
      CHECK_MESSAGE(keys.out.find(words) != std::string::npos, words);
  }
}

TEST_CASE("convert --base writes a PEFT adapter as a GGUF adapter") {
  const AdaptedModel f;
  const std::string out = f.folder.path() / "adapter.gguf";
  const Ended end = f.run({"convert", f.adapter, "--base", f.model, "-o", out});
  REQUIRE_MESSAGE(end.exit_code == 0, end.err);
  const std::string want = f.greedy(f.model, {"--lora", f.adapter});
  CHECK(f.greedy(f.model, {"--lora", out}) == want);
  CHECK(f.greedy(f.gguf, {"--lora", out}) == want);
  const Ended keys = f.run({"inspect", out, "--metadata"});
  CHECK(keys.out.find("adapter.lora.alpha") != std::string::npos);
  CHECK(f.run({"convert", out, "--base", f.model, "-o", out + "2"}).exit_code == 2);
}
