// run --lookup and --draft: the same output as without, and statistics.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

Json document(const Ended& end) {
  const auto json = parse_json(end.out);
  REQUIRE_MESSAGE(json.has_value(), end.err);
  return *json;
}

}  // namespace

TEST_CASE("run --lookup and --draft write what run writes without them, and tell what they did") {
  const ChainFixture chain({.finite = true});  // the random model may well say N
  const auto random = (chain.folder.path() / "random.gguf").string();
  write_random_model(random);
  const std::vector<Arguments> ways = {{"--lookup"}, {"--draft", chain.model}, {"--draft", random}};
  const std::vector<Arguments> prompts = {{"-p", "o", "-n", "40", "--temp", "0"},
                                          {"-p", "d", "-n", "40", "--seed", "4"},
                                          {"-p", "1234123412341234d", "-n", "40", "--seed", "5"},
                                          {"-p", "a"},
                                          {"-p", "o", "-c", "30"},
                                          {"-p", "o", "-c", "9", "-b", "1"}};
  for (const std::string& model : {chain.model, random}) {
    for (const Arguments& prompt : prompts) {
      Arguments plain = {"run", model, "--raw", "--json", "-c", "64", "--seed", "1"};
      plain.insert(plain.end(), prompt.begin(), prompt.end());
      const Ended without = run_program(plain);
      CHECK_FALSE(document(without).contains("speculation"));
      for (const Arguments& way : ways) {
        Arguments with = plain;
        with.insert(with.end(), way.begin(), way.end());
        const Ended end = run_program(with);
        CHECK(end.exit_code == without.exit_code);
        const Json told = document(end);
        CHECK(told["tokens"] == document(without)["tokens"]);
        CHECK(told["text"] == document(without)["text"]);
        CHECK(told["reason"] == document(without)["reason"]);
        CHECK(told["speculation"]["accepted"] <= told["speculation"]["drafted"]);
        CHECK(told["speculation"]["gain"].is_number());
      }
    }
  }
  const Ended repeats = chain.run({"-p", "o", "-n", "40", "--temp", "0", "--lookup"});
  CHECK(repeats.err.find("; drafted 0,") == std::string::npos);
  CHECK(repeats.err.find(", gain ") != std::string::npos);
}

TEST_CASE("run --draft refuses what cannot guess for the model, and tells why") {
  const ChainFixture chain, other({.other_vocabulary = true});
  const Ended differs = chain.run({"-p", "a", "--draft", other.model});
  CHECK(differs.exit_code == 3);
  CHECK(differs.out.empty());
  CHECK(differs.err.find("nibble: --draft " + other.model + ": its token ") == 0);
  CHECK(differs.err.find("a draft model needs the same vocabulary") != std::string::npos);
  CHECK(chain.run({"-p", "a", "--draft", "/no/such.gguf"}).exit_code == 3);
  const Ended both = chain.run({"-p", "a", "--lookup", "--draft", chain.model});
  CHECK(both.exit_code == 2);
  CHECK(both.err == "nibble: --lookup and --draft exclude one another\n");
}
