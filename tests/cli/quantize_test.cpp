// nibble quantize: what it writes, tells and refuses.
#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>

#include "core/base/json.h"
#include "tests/cli/chain_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

// A float model in a folder of its own, and the program run on it.
struct Bench {
  TemporaryFolder folder;
  std::string model;

  explicit Bench(const RandomOptions& options = {.format = "f16"}) : model(path("model.gguf")) {
    write_random_model(model, options);
  }
  std::string path(const std::string& name) const { return folder.path() / name; }
  Ended quantize(const std::string& out, Arguments more) const {
    more.insert(more.begin(), {"quantize", model, path(out)});
    return run_program(more);
  }
  // The result of a run that must succeed.
  Json result(const std::string& out, Arguments more) const {
    more.emplace_back("--json");
    const Ended end = quantize(out, more);
    CHECK_MESSAGE(end.exit_code == 0, end.err);
    const auto document = parse_json(end.out);
    REQUIRE(document);
    return (*document)["outputs"][0];
  }
};

std::string some_text() {
  std::string text;
  for (int i = 0; i < 1100; ++i) text += i % 3 ? " again" : " two";
  return text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("quantize --dry-run agrees with the file to the byte and writes none") {
  const Bench bench({.format = "f16", .n_ff = 320});
  const Json plan = bench.result("out.gguf", {"--type", "q4_k_m", "--dry-run"});
  CHECK(bench.folder.n_files() == 1);
  const Json done = bench.result("out.gguf", {"--type", "q4_k_m"});
  CHECK(plan["bytes"] == done["bytes"]);
  CHECK(plan["bytes"] == std::filesystem::file_size(bench.path("out.gguf")));
  CHECK(plan["tensors"] == done["tensors"]);
  CHECK(bench.folder.n_files() == 2);
}

TEST_CASE("quantize tells each fallback, and refuses it where told to") {
  const Bench bench({.format = "f16", .n_ff = 320});
  const Json out = bench.result("out.gguf", {"--type", "q4_k_s"});
  CHECK(out["fallbacks"] == 2);  // ffn_down, whose rows have 320 weights
  for (const Json& t : out["tensors"]) {
    const bool fell = t["name"].get<std::string>().find("ffn_down.weight") != std::string::npos;
    CHECK((t["asked"] != t["type"]) == fell);
  }
  const Ended text = bench.quantize("again.gguf", {"--type", "q4_k_s"});
  CHECK(contains(text.out, " -> "));
  CHECK(contains(text.out, "2 tensors"));
  const Ended refused = bench.quantize("no.gguf", {"--type", "q4_k_s", "--no-fallback"});
  CHECK(refused.exit_code == 3);
  CHECK(contains(refused.err, "'blk.0.ffn_down.weight': rows of 320 weights"));
  CHECK_FALSE(std::filesystem::exists(bench.path("no.gguf")));
}

TEST_CASE("quantize --tensor gives tensors a format, and finds some") {
  const Bench bench;
  const Json out = bench.result(
      "out.gguf", {"--type", "q4_0", "--tensor", "attn_v=q8_0", "--tensor", "attn_=q5_0"});
  for (const Json& t : out["tensors"]) {
    const auto name = t["name"].get<std::string>();
    if (contains(name, "attn_v")) CHECK(t["type"] == "q8_0");
    if (contains(name, "attn_q.")) CHECK(t["type"] == "q5_0");
    if (contains(name, "ffn_up")) CHECK(t["type"] == "q4_0");
  }
  const auto keys =
      parse_json(run_program({"inspect", bench.path("out.gguf"), "--metadata", "--json"}).out);
  REQUIRE(keys);
  CHECK(contains(dump_json(*keys), "q4_0; attn_v=q8_0; attn_=q5_0"));
  for (const char* pattern :
       {"nothing=q8_0", "attn_norm=q8_0", "(=q8_0", "attn_v", "attn_v=q9_9"}) {
    CAPTURE(pattern);
    CHECK(bench.quantize("no.gguf", {"--type", "q4_0", "--tensor", pattern}).exit_code == 2);
  }
}

TEST_CASE("quantize of what is quantized needs --from-quantized") {
  const Bench bench({.format = "q8_0"});
  const Ended refused = bench.quantize("out.gguf", {"--type", "q4_k_m"});
  CHECK(refused.exit_code == 3);
  CHECK(contains(refused.err, "--from-quantized"));
  CHECK(bench.quantize("out.gguf", {"--type", "q4_k_m", "--from-quantized"}).exit_code == 0);
}

TEST_CASE("quantize --also writes what single runs write") {
  const Bench bench;
  CHECK(bench.quantize("a.gguf", {"--type", "q4_k_m", "--also", bench.path("b.gguf") + "=q6_k"})
            .exit_code == 0);
  bench.result("a1.gguf", {"--type", "q4_k_m"});
  bench.result("b1.gguf", {"--type", "q6_k", "-t", "1"});
  CHECK(bench.folder.read("a.gguf") == bench.folder.read("a1.gguf"));
  CHECK(bench.folder.read("b.gguf") == bench.folder.read("b1.gguf"));
  CHECK(bench.quantize("c.gguf", {"--type", "q8_0", "--also", bench.path("c.gguf") + "=q6_k"})
            .exit_code == 2);
}

TEST_CASE("quantize never writes over its source, nor over a file that is there") {
  const Bench bench;
  const std::string before = bench.folder.read("model.gguf");
  std::filesystem::create_symlink(bench.model, bench.path("symbolic.gguf"));
  std::filesystem::create_hard_link(bench.model, bench.path("hard.gguf"));
  for (const char* name : {"model.gguf", "symbolic.gguf", "hard.gguf"}) {
    CAPTURE(name);
    const Ended end = bench.quantize(name, {"--type", "q8_0", "--force"});
    CHECK(end.exit_code == 2);
    CHECK(contains(end.err, "is what is read"));
  }
  CHECK(bench.folder.read("model.gguf") == before);
  bench.folder.write("there.gguf", "precious");
  CHECK(bench.quantize("there.gguf", {"--type", "q8_0"}).exit_code == 2);
  CHECK(bench.folder.read("there.gguf") == "precious");
  CHECK(bench.quantize("there.gguf", {"--type", "q8_0", "--force"}).exit_code == 0);
  CHECK(bench.folder.read("there.gguf").starts_with("GGUF"));
}

TEST_CASE("quantize refuses weights that are no finite numbers, by tensor") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "chain.gguf";
  write_chain_model(model);  // its embedding has a NaN
  const Ended end = run_program({"quantize", model, folder.path() / "out.gguf", "--type", "q8_0"});
  CHECK(end.exit_code == 3);
  CHECK(contains(end.err, "'token_embd.weight': a weight in rows"));
  CHECK(contains(end.err, "NaN"));
  CHECK(folder.n_files() == 1);
}

TEST_CASE("quantize --calibrate collects importance, which --imatrix takes up again") {
  const Bench bench;
  const auto text = bench.folder.write("text.txt", some_text());
  const Json out = bench.result("a.gguf", {"--type", "q4_k_m", "--calibrate", text,
                                           "--save-imatrix", bench.path("imatrix.gguf")});
  CHECK(out["importance"]["tensors"] == 16);
  CHECK(out["importance"]["without_data"] == Json::array({"token_embd.weight"}));
  bench.result("b.gguf", {"--type", "q4_k_m", "--imatrix", bench.path("imatrix.gguf"),
                          "--save-imatrix", bench.path("imatrix.dat")});
  CHECK(bench.folder.read("a.gguf") == bench.folder.read("b.gguf"));
  bench.result("c.gguf", {"--type", "q4_k_m"});
  CHECK(bench.folder.read("a.gguf") != bench.folder.read("c.gguf"));
  CHECK(bench.folder.read("imatrix.gguf").starts_with("GGUF"));
  CHECK_FALSE(bench.folder.read("imatrix.dat").starts_with("GGUF"));
  const Ended told = bench.quantize(
      "d.gguf", {"--type", "q4_k_m", "--dry-run", "--imatrix", bench.path("imatrix.dat")});
  CHECK(contains(told.out, "importance of 15 of 16 tensors; without data: token_embd.weight"));
}

TEST_CASE("quantize refuses what options of importance contradict") {
  const Bench bench;
  const auto text = bench.folder.write("text.txt", some_text());
  const auto code = [&](Arguments more) {
    more.insert(more.begin(), {"--type", "q4_k_m"});
    return bench.quantize("out.gguf", more).exit_code;
  };
  CHECK(code({"--calibrate", text, "--imatrix", text}) == 2);
  CHECK(code({"--save-imatrix", bench.path("imatrix.gguf")}) == 2);
  CHECK(code({"--calibrate", text, "--save-imatrix", text}) == 2);  // is there already
  CHECK(code({"--calibrate", bench.path("none.txt")}) == 3);
  CHECK(code({"--imatrix", text}) == 3);
  CHECK(bench.folder.n_files() == 2);
}

TEST_CASE("quantize --size spends the budget, the same in a dry run") {
  const Bench bench;
  for (const char* size : {"600k", "900k", "1.5M"}) {
    CAPTURE(size);
    const Json plan = bench.result("out.gguf", {"--size", size, "--dry-run"});
    const Json done = bench.result("out.gguf", {"--size", size, "--force", "-t", "1"});
    const double budget = std::string(size) == "1.5M" ? 1.5e6 : 1e3 * std::stod(size);
    CHECK(plan["bytes"] == done["bytes"]);
    CHECK(plan["tensors"] == done["tensors"]);
    CHECK(done["bytes"] == std::filesystem::file_size(bench.path("out.gguf")));
    CHECK(done["bytes"].get<double>() <= budget);
    CHECK(done["bytes"].get<double>() >= 0.97 * budget);
  }
}

TEST_CASE("quantize --bpw counts the weights' bits, and leaves overrides as they are") {
  const Bench bench;
  const Json out = bench.result("out.gguf", {"--bpw", "4.5", "--tensor", "attn_k=q8_0"});
  CHECK(out["bits_per_weight"] <= 4.5);
  CHECK(out["bits_per_weight"] >= 0.97 * 4.5);
  for (const Json& t : out["tensors"])
    if (contains(t["name"].get<std::string>(), "attn_k.")) {
      CHECK(t["type"] == "q8_0");
      CHECK(t["cause"] == "override");
    }
  CHECK(contains(bench.folder.read("out.gguf"), "--bpw 4.5; attn_k=q8_0"));
}

TEST_CASE("quantize --size and --bpw tell the end of the range that is missed, and reach it") {
  const Bench bench;
  for (const std::string more : {"", "token_embd=f16", "attn=f16", "ffn_=q8_0"}) {
    for (const auto& [option, wanted, words] :
         {std::array<const char*, 3>{"--size", "50k", "the smallest mix takes "},
          {"--size", "20M", "the largest mix takes "},
          {"--bpw", "0.5", "the smallest mix has "},
          {"--bpw", "32", "the largest mix has "}}) {
      const auto fit = [&, option = option](const std::string& budget) {
        Arguments arguments = {option, budget, "--dry-run"};
        if (!more.empty()) arguments.insert(arguments.end(), {"--tensor", more});
        return bench.quantize("out.gguf", arguments);
      };
      const Ended end = fit(wanted);
      CHECK(end.exit_code == 3);
      const size_t at = end.err.find(words);
      REQUIRE_MESSAGE(at != std::string::npos, end.err);
      const std::string told = end.err.substr(at + std::string(words).size());
      const Ended reached = fit(told.substr(0, told.find(' ')));
      CHECK_MESSAGE(reached.exit_code == 0, more << ": " << reached.err);
    }
  }
}

TEST_CASE("quantize --bpw fits a mix beside weights that keep many bits") {
  const Bench bench;
  const Json out = bench.result("out.gguf", {"--bpw", "12", "--tensor", "token_embd=f16",
                                             "--tensor", "attn=f16", "--tensor", "ffn_up=f16"});
  CHECK(out["bits_per_weight"] <= 12);
  CHECK(out["bits_per_weight"] >= 0.97 * 12);
}

TEST_CASE("quantize's usage") {
  const Bench bench;
  CHECK(bench.quantize("out.gguf", {"--size", "900k", "--type", "q4_0"}).exit_code == 2);
  CHECK(bench.quantize("out.gguf", {}).exit_code == 2);
  CHECK(bench.quantize("out.gguf", {"--size", "much"}).exit_code == 2);
  const auto text = bench.folder.write("text.txt", some_text());
  for (const Arguments& writes : {Arguments{"--save-imatrix", bench.path("imatrix.gguf")},
                                  {"--save-imatrix", bench.path("imatrix.dat")},
                                  {"--report", bench.path("r.html")},
                                  {"--errors"}}) {
    Arguments more = {"--type", "q4_0", "--calibrate", text, "--dry-run"};
    more.insert(more.end(), writes.begin(), writes.end());
    const Ended end = bench.quantize("out.gguf", more);
    CHECK(end.exit_code == 2);
    CHECK_MESSAGE(contains(end.err, "--dry-run writes nothing"), end.err);
  }
  CHECK(bench.folder.n_files() == 2);
}

TEST_CASE("quantize --report tells what each tensor and the predictions lost") {
  const Bench bench;
  const auto text = bench.folder.write("text.txt", some_text());
  const Json out = bench.result(
      "out.gguf", {"--type", "q4_0", "--report", bench.path("r.json"), "--report-text", text});
  const auto report = parse_json(bench.folder.read("r.json"));
  REQUIRE(report);
  CHECK((*report)["bytes"] == out["bytes"]);
  CHECK((*report)["tensors"].size() == out["tensors"].size());
  for (const Json& t : (*report)["tensors"])
    CHECK((t["relative_error"] > 0) == (t["type"] != t["source_type"]));
  const auto against = parse_json(run_program({"eval", bench.path("out.gguf"), "--text", text,
                                               "--against", bench.model, "--json"})
                                      .out);
  REQUIRE(against);
  for (const char* key : {"kl_mean", "kl_std_error", "kl_p999", "top1", "top1_std_error"})
    CHECK((*report)["quality"][key] == (*against)[key]);
  CHECK((*report)["quality"]["perplexity"] == (*against)["perplexity"]);
  CHECK((*report)["quality"]["source_perplexity"] == (*against)["reference_perplexity"]);
}

TEST_CASE("quantize --report writes a page that needs nothing from elsewhere") {
  const Bench bench;
  bench.result("out.gguf", {"--type", "q4_0", "--report", bench.path("r.html")});
  const std::string page = bench.folder.read("r.html");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(contains(page, "<svg"));
  CHECK(contains(page, "blk.1.ffn_down.weight"));
  for (const char* part : {"http", "<script", "src=", "href="}) {
    CAPTURE(part);
    CHECK_FALSE(contains(page, part));
  }
  const auto code = [&](Arguments more) {
    more.insert(more.begin(), {"--type", "q4_0"});
    return bench.quantize("b.gguf", more).exit_code;
  };
  CHECK(code({"--report", bench.path("r.pdf")}) == 2);
  CHECK(code({"--report", bench.path("r.html")}) == 2);  // is there already
  CHECK(code({"--report-text", bench.model}) == 2);
}

TEST_CASE("a limit on the size of files exits 6 with one line, and nothing stays there") {
  const Bench bench;
  const Ended end = run_shell("cd '" + bench.folder.path().string() +
                              "' && ulimit -f 50 && $nibble quantize model.gguf out.gguf --type "
                              "q4_k_m; code=$?; ls -A; exit $code");
  CHECK(end.exit_code == 6);
  CHECK_MESSAGE(end.err == "nibble: out.gguf: cannot be written: File too large\n", end.err);
  CHECK(end.out == "model.gguf\n");
}

TEST_CASE("a signal in the middle of the work leaves nothing behind") {
  const Bench bench({.format = "f16", .n_ff = 8192});
  for (const auto& [name, code] : {std::pair{"INT", 130}, {"TERM", 143}, {"HUP", 129}}) {
    CAPTURE(code);
    const Ended end = run_shell(
        "cd '" + bench.folder.path().string() +
        "' && { $nibble quantize model.gguf out.gguf --type iq4_xs -t 1 & pid=$!; while ! [ -e "
        ".out.gguf.nibble-part ]; do :; done; kill -" +
        name + " $pid; wait $pid; code=$?; ls -A; exit $code; }");
    CHECK(end.exit_code == code);
    CHECK(end.out == "model.gguf\n");
  }
}

TEST_CASE("a full disk is found before work starts, and nothing stays there") {
  const Bench bench;
  std::filesystem::create_directory(bench.path("disk"));
  const std::string mounted =
      "unshare -m sh -c \"mount -t tmpfs -o size=256k tmpfs '" + bench.path("disk") + "' && ";
  if (run_shell(mounted + "true\"").exit_code != 0) {
    MESSAGE("skipped: a file system cannot be mounted here");
    return;
  }
  const std::string model = "'" + bench.model + "'";
  for (const std::string& work :
       {"quantize " + model + " out.gguf --type q4_k_m", "convert " + model + " -o out.gguf",
        "convert " + model + " -o out.gguf --max-shard 300k"}) {
    CAPTURE(work);
    const Ended end = run_shell(mounted + "cd '" + bench.path("disk") + "' && $nibble " + work +
                                "; code=\\$?; ls -A; exit \\$code\"");
    CHECK(end.exit_code == 6);
    CHECK(contains(end.err, "bytes missing"));
    CHECK(end.out.empty());
  }
}
