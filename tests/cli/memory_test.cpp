// --mlock and --no-mmap: the same results, and what they took.
#include <doctest/doctest.h>
#include <unistd.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("run, eval and bench take weights from memory as from the map, and tell what that took") {
  const ChainFixture chain;
  for (const Arguments& way : {Arguments{"--no-mmap"}, {"--mlock"}, {"--no-mmap", "--mlock"}}) {
    const auto with = [&](Arguments arguments) {
      arguments.insert(arguments.end(), way.begin(), way.end());
      return run_program(arguments);
    };
    CAPTURE(way.front());
    const Ended text = with({"run", chain.model, "-p", "a"});
    CHECK(text.out == "Hello world!");
    const bool copied = way.front() == "--no-mmap", locked = way.back() == "--mlock";
    CHECK(text.err.find("nibble: weights of ") == 0);
    CHECK(text.err.find(copied ? " read in " : " mapped in ") != std::string::npos);
    CHECK(text.err.find("s, 100 % in memory, ") != std::string::npos);
    const auto told = parse_json(with({"run", chain.model, "-p", "a", "--json"}).out);
    REQUIRE(told);
    const Json& weights = told->at("weights");
    CHECK(weights["mapped"] == !copied);
    CHECK(weights["resident_share"] == 1.0);
    CHECK(weights["locked_bytes"] == (locked ? weights["bytes"] : Json(0)));
    CHECK(weights["load_seconds"] > 0);
    CHECK(with({"eval", chain.model, "--token-ids", "97", "--greedy", "2"}).out == "[260, 261]\n");
    const auto bench =
        parse_json(with({"bench", chain.model, "-p", "0", "-n", "2", "-r", "1", "--json"}).out);
    REQUIRE(bench);
    CHECK(bench->at(0)["weights"]["mapped"] == !copied);
  }
  const auto plain = parse_json(chain.run({"-p", "a", "--json"}).out);
  REQUIRE(plain);
  CHECK(plain->at("weights")["mapped"] == true);
  CHECK(plain->at("weights")["locked_bytes"] == 0);
}

TEST_CASE("run --mlock goes on without where the limit forbids it, and names the limit") {
  const ChainFixture chain;
  const Ended end = run_shell("ulimit -l 8 && exec $nibble run " + chain.model + " -p a --mlock");
  CHECK(end.exit_code == 0);
  CHECK(end.out == "Hello world!");
  const bool limited = end.err.find("the limit RLIMIT_MEMLOCK is 8 KiB") != std::string::npos;
  CHECK(limited == (::geteuid() != 0));  // root may lock without limit
}
