// nibble eval and bench: what they print and write.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("eval --greedy prints the ids that follow, end tokens included") {
  const ChainFixture chain;
  const Ended end = run_program({"eval", chain.model, "--token-ids", "97", "--greedy", "4"});
  CHECK(end.exit_code == 0);
  CHECK(end.out == "[260, 261, 33, 256]\n");
  CHECK(end.err.empty());
  CHECK(run_program({"eval", chain.model, "--token-ids", "97", "--greedy", "4", "--fast"}).out ==
        end.out);
}

TEST_CASE("eval --logits writes a NumPy file, one row a token") {
  const ChainFixture chain;
  const auto target = chain.folder.path() / "logits.npy";
  CHECK(run_program({"eval", chain.model, "--token-ids", "97, 98,99", "--logits", target})
            .exit_code == 0);
  const std::string file = chain.folder.read("logits.npy");
  CHECK(file.starts_with("\x93NUMPY"));
  CHECK(file.find("'shape': (3, 279)") != std::string::npos);
  CHECK(file.size() % 64 == size_t{3 * 279 * 4} % 64);
}

TEST_CASE("eval --text gives the perplexity, and is as sure as the model") {
  const ChainFixture chain;
  std::string text;
  for (int i = 0; i < 40; ++i) text += " again";
  const auto file = chain.folder.write("text.txt", text);
  const Ended end = run_program({"eval", chain.model, "--text", file, "-c", "16", "--json"});
  const auto document = parse_json(end.out);
  REQUIRE(document);
  CHECK(document->at("perplexity").get<double>() == doctest::Approx(1).epsilon(1e-4));
  CHECK(document->at("windows") == 2);
  CHECK(document->at("tokens") == 32);
  CHECK(run_program({"eval", chain.model, "--text", file, "-c", "40"}).exit_code ==
        3);  // one window is too few
}

TEST_CASE("bench prints the repetitions of each test and what else is worth saying") {
  const ChainFixture chain;
  const Ended end = run_program(
      {"bench", chain.model, "-p", "16", "-n", "4", "-d", "8", "-r", "2", "-t", "1", "--json"});
  CHECK(end.exit_code == 0);
  const auto tests = parse_json(end.out);
  REQUIRE(tests);
  REQUIRE(tests->size() == 2);
  CHECK(tests->at(0)["test"] == "pp16");
  CHECK(tests->at(1)["test"] == "tg4");
  for (const Json& test : *tests) {
    CHECK(test["tokens_per_second"].size() == 2);
    CHECK(test["threads"] == 1);
    CHECK(test["peak_resident_bytes"] > 0);
    for (const char* key : {"gigabytes_per_second", "share_of_read_bandwidth",
                            "gigamacs_per_second", "share_of_multiply_adds", "share_of_roof"})
      CHECK(test[key] > 0);
    for (const char* roof : {"read_gigabytes_per_second", "gigamacs_per_second"})
      CHECK(test["roof"][roof]["one_thread"] > 0);
  }
}

TEST_CASE("bench prints a table for people, the roof below it") {
  const ChainFixture chain;
  const Ended end = run_program({"bench", chain.model, "-p", "8", "-n", "0", "-r", "1"});
  CHECK(end.exit_code == 0);
  CHECK(end.out.find("test        tokens/s") == 0);
  CHECK(end.out.find("\npp8 ") != std::string::npos);
  CHECK(end.out.find("\nthis machine reads ") != std::string::npos);
  CHECK(end.out.find("peak memory") != std::string::npos);
}

TEST_CASE("bench --tokenize measures the tokenizer") {
  const ChainFixture chain;
  const auto file = chain.folder.write("text.txt", "Hello world! again");
  const auto tests =
      parse_json(run_program({"bench", "--tokenize", file, chain.model, "--json"}).out);
  REQUIRE(tests);
  CHECK(tests->at(0)["test"] == "tokenize");
  CHECK(tests->at(0)["megabytes_per_second"].size() == 3);
  CHECK(tests->at(0)["load_seconds"] > 0);
}
