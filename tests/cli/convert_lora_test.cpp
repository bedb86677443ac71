// nibble convert with adapters.
#include <doctest/doctest.h>

#include "tests/adapter_files.h"
#include "tests/cli/folder_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kWidth = 64;  // of the folder model

struct LoraFixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "model", gguf = folder.path() / "model.gguf",
              adapter = folder.path() / "adapter";

  LoraFixture() {
    write_folder_model(model);
    REQUIRE(run({"convert", model, "-o", gguf}).exit_code == 0);
    write_peft_adapter(adapter,
                       {random_pair("model.layers.0.self_attn.q_proj", 4, kWidth, kWidth),
                        random_pair("model.layers.1.self_attn.o_proj", 4, kWidth, kWidth)},
                       4, 8);
  }
  Ended run(Arguments arguments) const {
    return run_program(arguments, {}, {{"XDG_DATA_HOME", folder.path().string()}});
  }
  std::string greedy(const std::string& path, Arguments more = {}) const {
    Arguments arguments = {"eval", path, "--token-ids", "84,104,101,32,97", "--greedy", "16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ended end = run(arguments);
    REQUIRE_MESSAGE(end.exit_code == 0, end.err);
    return end.out;
  }
};

}  // namespace

TEST_CASE("convert --lora merges what eval --lora computes") {
  const LoraFixture f;
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
  const LoraFixture f;
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
  const LoraFixture f;
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
