// --lora from the command line.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/adapter_files.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kVocabulary = 279, kWidth = 288;  // of the chain model
constexpr int kTwo = 264;                       // " two"

// After an "a" comes " two", and no longer "Hello".
AdapterPair a_to_two(const char* name) {
  AdapterPair pair{name, 1, 1, kVocabulary, kWidth, {}, {}};
  pair.a.resize(kWidth);
  pair.b.resize(kVocabulary);
  pair.a['a'] = 1;
  pair.b[kTwo] = 3;
  return pair;
}

struct AdapterFixture : ChainFixture {
  std::string peft = folder.path() / "peft", gguf = folder.path() / "adapter.gguf";
  AdapterFixture() {
    write_peft_adapter(peft, {a_to_two("lm_head")}, 1, 1);
    write_gguf_adapter(gguf, {a_to_two("output.weight")}, 1);
  }
};

}  // namespace

TEST_CASE("run --lora applies an adapter of either layout, with a scale") {
  const AdapterFixture chain;
  CHECK(chain.run({"-p", "a", "--temp", "0", "--quiet"}).out == "Hello world!");
  for (const std::string& adapter : {chain.peft, chain.gguf}) {
    const Ended end = chain.run({"-p", "a", "--temp", "0", "--quiet", "--lora", adapter});
    CHECK(end.exit_code == 0);
    CHECK(end.out == " two");
    CHECK(chain.run({"-p", "a", "--temp", "0", "--quiet", "--lora", adapter + ":0.1"}).out ==
          "Hello world!");
    CHECK(chain
              .run({"-p", "a", "--temp", "0", "--quiet", "--lora", adapter + ":0.2", "--lora",
                    adapter + ":0.2"})
              .out == " two");
  }
}

TEST_CASE("eval --lora applies an adapter") {
  const AdapterFixture chain;
  const Ended end = run_program(
      {"eval", chain.model, "--lora", chain.peft, "--token-ids", "97", "--greedy", "2"});
  CHECK(end.out == "[264, 256]\n");
}

TEST_CASE("an adapter that is named as the model is called one") {
  const AdapterFixture chain;
  for (const Arguments& command : {Arguments{"run", chain.gguf, "-p", "a"},
                                   {"eval", chain.gguf, "--token-ids", "97", "--greedy", "2"},
                                   {"eval", chain.peft, "--token-ids", "97", "--greedy", "2"},
                                   {"bench", chain.gguf}}) {
    const Ended end = run_program(command);
    CHECK(end.exit_code == 3);
    CHECK(end.err.find(command[1] + ": is a LoRA adapter") != std::string::npos);
    CHECK(end.err.find("fetch") == std::string::npos);
  }
}

TEST_CASE("adapters that do not fit, or are none, are refused in one line") {
  const AdapterFixture chain;
  const auto fault = [&](const std::string& adapter, int exit_code) {
    const Ended end = chain.run({"-p", "a", "--lora", adapter});
    CHECK(end.exit_code == exit_code);
    CHECK(end.out.empty());
    CHECK(std::count(end.err.begin(), end.err.end(), '\n') == 1);
    return end.err;
  };
  CHECK(fault(chain.peft + ":much", 2).find("expected FILE_OR_FOLDER[:SCALE]") !=
        std::string::npos);
  CHECK(fault(chain.model, 3).find("is a model, not an adapter") != std::string::npos);
  CHECK(fault(chain.folder.path(), 3).find("has no adapter_config.json") != std::string::npos);
  CHECK(fault("missing", 3).find("missing") != std::string::npos);
  write_peft_adapter(chain.peft, {random_pair("lm_head", 1, 5, kWidth)}, 1, 1);
  CHECK(fault(chain.peft, 3).find("5 rows and 288 columns, the base's has 279 and 288") !=
        std::string::npos);
}
