// nibble eval and bench: what they print and write.
#include <doctest/doctest.h>

#include <cmath>

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

namespace {

std::string repeated(const char* word, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += word;
  return text;
}

}  // namespace

TEST_CASE("eval --against measures the distance from a reference") {
  const ChainFixture chain;
  const auto other = chain.folder.path() / "random.gguf";
  write_random_model(other);
  const auto file = chain.folder.write("text.txt", repeated(" again", 40));
  const auto varied = chain.folder.write("varied.txt", repeated(" again Hello world!", 20));
  const auto eval = [&](const std::string& model, const std::string& reference,
                        const std::string& text) {
    const Ended end =
        run_program({"eval", model, "--text", text, "-c", "16", "--against", reference, "--json"});
    CHECK(end.exit_code == 0);
    const auto document = parse_json(end.out);
    REQUIRE(document);
    return *document;
  };
  const Json same = eval(chain.model, chain.model, file);
  CHECK(same["kl_mean"] == 0);
  CHECK(same["kl_max"] == 0);
  CHECK(same["top1"] == 1);
  CHECK(same["scored"] == 14);
  CHECK(same["reference_perplexity"] == same["perplexity"]);
  const Json apart = eval(other, chain.model, file);
  // the reference is sure, so the divergence is the model's own negative log-probability
  CHECK(apart["kl_mean"].get<double>() ==
        doctest::Approx(std::log(apart["perplexity"].get<double>())).epsilon(1e-3));
  CHECK(apart["kl_median"] <= apart["kl_p99"]);
  CHECK(apart["kl_p999"] <= apart["kl_max"]);
  CHECK(eval(other, chain.model, varied)["kl_std_error"] > 0);
  CHECK(apart["top1"] < 1);
}

TEST_CASE("eval --against refuses a reference with another vocabulary") {
  const ChainFixture chain;
  const auto file = chain.folder.write("text.txt", repeated(" two", 40));
  ChainOptions options;
  options.other_vocabulary = true;
  const auto other = chain.folder.path() / "other.gguf";
  write_chain_model(other, options);
  const Ended end =
      run_program({"eval", chain.model, "--text", file, "-c", "16", "--against", other});
  CHECK(end.exit_code == 3);
  CHECK(end.err.find("do not share a vocabulary") != std::string::npos);
  CHECK(run_program({"eval", chain.model, "--token-ids", "1", "--greedy", "1", "--against", other})
            .exit_code == 2);
}

TEST_CASE("eval --multiple-choice scores choices as they are and by their length") {
  const ChainFixture chain;
  const auto file = chain.folder.write(
      "questions.jsonl",
      "{\"question\": \"o\", \"choices\": [\"Hello\", \"again again\"], \"answer\": 1}\n\n"
      "{\"context\": \"o\", \"choices\": [\"again\", \"one\"], \"answer\": \"B\"}\n"
      "{\"context\": \"o\", \"choices\": [\"zz\", \"again again again again zzz\"], \"answer\": "
      "1}\n");
  const Ended end = run_program({"eval", chain.model, "--multiple-choice", file, "--json"});
  CHECK(end.err.empty());
  const auto document = parse_json(end.out);
  REQUIRE(document);
  CHECK(document->at("n_questions") == 3);
  CHECK(document->at("accuracy").get<double>() == doctest::Approx(1.0 / 3));
  CHECK(document->at("accuracy_normalized").get<double>() == doctest::Approx(2.0 / 3));
  const Json& rows = document->at("questions");
  CHECK(rows[0]["log_likelihoods"][1].get<double>() == doctest::Approx(0).epsilon(1e-3));
  CHECK(rows[1]["line"] == 3);
  CHECK(rows[1]["chosen"] == 0);
  CHECK(rows[2]["chosen"] == 0);
  CHECK(rows[2]["chosen_normalized"] == 1);
}

TEST_CASE("eval --multiple-choice names the line that it cannot read") {
  const ChainFixture chain;
  const char* const kLines[] = {
      "{\"question\": \"o\", \"choices\": [\"a\", \"b\"], \"answer\": 2}",
      "{\"question\": \"o\", \"choices\": [\"a\", \"b\"], \"answer\": \"C\"}",
      "{\"question\": \"o\", \"choices\": [\"a\"], \"answer\": 0}",
      "{\"question\": \"o\", \"choices\": [\"a\", \"\"], \"answer\": 0}",
      "{\"question\": \"o\", \"choices\": [\"a\", \"b\"]}",
      "{\"choices\": [\"a\", \"b\"], \"answer\": 0}",
      "{\"question\": \"\", \"choices\": [\"a\", \"b\"], \"answer\": 0}",
      "[]",
      "{",
  };
  for (const char* line : kLines) {
    CAPTURE(line);
    const auto file = chain.folder.write("questions.jsonl", std::string("\n") + line);
    const Ended end = run_program({"eval", chain.model, "--multiple-choice", file});
    CHECK(end.exit_code == 3);
    CHECK(end.err.find("questions.jsonl: line 2: ") != std::string::npos);
  }
}
