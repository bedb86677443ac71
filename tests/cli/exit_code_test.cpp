// Each exit code once, and what a shell relies on besides: closed pipes, signals, full disks.
#include <doctest/doctest.h>
#include <signal.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
bool is_one_line(const std::string& text) {
  return text.starts_with("nibble: ") && text.find('\n') == text.size() - 1;
}
}  // namespace

TEST_CASE("usage errors exit 2 with one line") {
  const ChainFixture chain;
  for (const Arguments& wrong :
       {Arguments{"run", "--no-such-option"},
        {"run", "-n", "many", "-p", "x"},
        {"nonsense"},
        {},
        {"eval"},
        {"run", "-p", "x", "--json", "--events"},
        {"run", "-p", "x", "--raw", "-s", "y"},
        {"run", "-p", "x", "-t", "0"},
        {"run", "-p", "x", "--stop", ""},
        {"run", "-p", "x", "--lora", ""},
        {"run", "-p", "x", "--draft", ""},
        {"run", "-p", "x", "--truncate", ""},
        {"run", "-p", "x", "--chat-template-file", ""},
        {"run", "-p", "x", "--chat-template-file="},
        {"run", "-f", ""},
        {"run", "-p", "x", "--show-prompt", "--events"},
        {"run", "-p", "x", "--temp", "nan"},
        {"run", "-p", "x", "--top-p", "1.5"},
        {"run", "-p", "x", "--top-k", "1.5"},
        {"run", "-p", "x", "--repeat-penalty", "0"},
        {"run", "-p", "x", "--kv-type", "q9"},
        {"run", "-p", "x", "--seed", "99999999999999999999"},
        {"run", "", "-p", "x"},
        {"inspect", ""},
        {"eval", "", "--token-ids", "1", "--greedy", "1"},
        {"quantize", "", "out.gguf", "--type", "q4_0"},
        {"eval", chain.model},
        {"eval", chain.model, "--token-ids", "1,x", "--greedy", "1"},
        {"eval", chain.model, "--text", "-", "--exact", "--fast"},
        {"eval", chain.model, "--token-ids", "1", "--greedy", "1", "-c", "9"},
        {"eval", chain.model, "--multiple-choice", "-", "-c", "9"},
        {"bench", chain.model, "-p", "0", "-n", "0"},
        {"eval", chain.model, "--text", ""},
        {"eval", chain.model, "--text", "-", "--against", ""},
        {"eval", chain.model, "--token-ids", "1", "--greedy", "1", "--logits", ""},
        {"bench", chain.model, "-n", "0", "-d", "9"},
        {"bench", chain.model, "--tokenize", ""},
        {"bench", chain.model, "--tokenize", chain.model, "-n", "9"},
        {"bench", chain.model, "--tokenize", chain.model, "-p", "9"},
        {"bench", chain.model, "--tokenize", chain.model, "-d", "9"},
        {"bench", chain.model, "--tokenize", chain.model, "-b", "9"},
        {"bench", chain.model, "--tokenize", chain.model, "-t", "1"},
        {"bench", chain.model, "--tokenize", chain.model, "--kv-type", "f32"},
        {"bench", chain.model, "--tokenize", chain.model, "--mlock"},
        {"bench", chain.model, "--tokenize", chain.model, "--no-mmap"},
        {"quantize", chain.model, "out.gguf", "--type", "q8_0", "--imatrix", ""},
        {"quantize", chain.model, "out.gguf", "--type", "q8_0", "--calibrate", ""},
        {"quantize", chain.model, "out.gguf", "--type", "q8_0", "--report", ""},
        {"quantize", chain.model, "out.gguf", "--type", ""},
        {"quantize", chain.model, "", "--type", "q8_0"},
        {"convert", chain.model, "-o", "out.gguf", "--base", ""},
        {"convert", chain.model, "-o", "out.gguf", "--max-shard", ""},
        {"convert", chain.model, "-o", "out.gguf", "--from-quantized"},
        {"inspect", chain.model, "--render", ""},
        {"inspect", chain.model, "--metadata", "--key", ""},
        {"inspect", chain.model, "--metadata", "--key", "no.such.key"},
        {"inspect", chain.model, "--key", "x"},
        {"inspect", chain.model, "--tensors", "--metadata"}}) {
    const Ended end = run_program(wrong, "x", chain.home);
    CAPTURE(end.err);
    CHECK(end.exit_code == 2);
    CHECK(end.out.empty());
    CHECK(is_one_line(end.err));
  }
}

TEST_CASE("a missing, damaged or foreign model exits 3 with one line that names it") {
  const TemporaryFolder folder;
  const auto foreign = folder.write("text.gguf", "this is no model");
  const auto empty = folder.write("empty.gguf", "");
  for (const std::string& path : {std::string("/does/not/exist.gguf"), foreign.string(),
                                  empty.string(), folder.path().string()})
    for (const Arguments& command : {Arguments{"run", path, "-p", "x"},
                                     {"inspect", path},
                                     {"bench", path},
                                     {"eval", path, "--token-ids", "1", "--greedy", "1"}}) {
      const Ended end = run_program(command);
      CAPTURE(end.err);
      CHECK(end.exit_code == 3);
      CHECK(end.out.empty());
      CHECK(is_one_line(end.err));
      CHECK(end.err.find(path) != std::string::npos);
    }
}

TEST_CASE("what keeps a model from running is told behind its name, whatever the command") {
  const ChainFixture chain(
      {.declare = [](MetadataDraft& keys) { keys.set_u32("llama.expert_count", 3); }});
  const std::string draft = chain.folder.path() / "draft.gguf";
  write_chain_model(draft);
  for (const Arguments& command :
       {Arguments{"run", chain.model, "-p", "x"},
        {"run", draft, "--draft", chain.model, "-p", "x"},
        {"bench", chain.model},
        {"eval", chain.model, "--token-ids", "1", "--greedy", "1"},
        {"eval", chain.model, "--text", chain.model, "-c", "8"},
        {"quantize", chain.model, draft + "2", "--type", "q8_0", "--calibrate", chain.model},
        {"convert", chain.model, "--to", "hf", "-o", draft + "2"}}) {
    const Ended end = run_program(command);
    CHECK(end.exit_code == 3);
    CHECK_MESSAGE(end.err.starts_with("nibble: " + chain.model + ": "), end.err);
    CHECK(is_one_line(end.err));
  }
}

TEST_CASE("weights that are no numbers exit 3") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "N", "--quiet"});
  CHECK(end.exit_code == 3);
  CHECK(end.out.empty());
  CHECK(is_one_line(end.err));
  CHECK(run_program({"eval", chain.model, "--token-ids", "78", "--greedy", "1"}).exit_code == 3);
}

TEST_CASE("a full disk under standard output exits 6, a closed pipe ends quietly with 0") {
  const ChainFixture chain;
  const Ended full =
      run_shell("exec \"$nibble\" run '" + chain.model + "' -p a --quiet > /dev/full");
  CHECK(full.exit_code == 6);
  CHECK(is_one_line(full.err));
  const Ended closed = run_shell("{ \"$nibble\" run '" + chain.model +
                                 "' -p o -c 100000 --quiet; echo $? >&2; } | head -c1");
  CHECK(closed.out == " ");
  CHECK(closed.err == "0\n");
  CHECK(run_shell("{ \"$nibble\" --help; echo $? >&2; } | true").err == "0\n");
}

TEST_CASE("an unwritable logits file exits 6 and leaves nothing behind") {
  const ChainFixture chain;
  const Ended end =
      run_program({"eval", chain.model, "--token-ids", "1,2", "--logits", "/proc/no/such.npy"});
  CHECK(end.exit_code == 6);
  CHECK(is_one_line(end.err));
}

TEST_CASE("SIGINT exits 130, SIGTERM 143 and SIGHUP 129, with whole characters written") {
  const ChainFixture chain;
  for (const auto& [name, code] : {std::pair{"INT", 130}, {"TERM", 143}, {"HUP", 129}}) {
    const Ended end = run_shell("\"$nibble\" run '" + chain.model +
                                "' -p o -c 10000000 --quiet > '" + chain.folder.path().string() +
                                "/out' & pid=$!; while ! [ -s '" + chain.folder.path().string() +
                                "/out' ]; do :; done; kill -" + name + " $pid; wait $pid; exit $?");
    CHECK(end.exit_code == code);
    CHECK(end.err.find("nibble") == std::string::npos);  // the shell may say "Terminated"
    CHECK(chain.folder.read("out").starts_with(" again"));
  }
}

TEST_CASE("SIGHUP is ignored where the program was started so, as nohup does") {
  const ChainFixture chain;
  const Ended end = run_shell("trap '' HUP; \"$nibble\" run '" + chain.model +
                              "' -p o -c 10000000 --quiet > '" + chain.folder.path().string() +
                              "/out' & pid=$!; while ! [ -s '" + chain.folder.path().string() +
                              "/out' ]; do :; done; kill -HUP $pid; kill $pid; wait $pid; exit $?");
  CHECK(end.exit_code == 143);
}

TEST_CASE("help and version go to standard output and exit 0") {
  const Ended help = run_program({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.err.empty());
  for (const char* words : {"Exit codes:", "run ", "inspect ", "eval ", "bench ", "Examples:"})
    CHECK(help.out.find(words) != std::string::npos);
  for (const char* command : {"run", "inspect", "eval", "bench"}) {
    const Ended one = run_program({command, "--help"});
    CHECK(one.exit_code == 0);
    CHECK(one.out.find("Examples:") != std::string::npos);
    CHECK(one.err.empty());
  }
  const Ended version = run_program({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.out.starts_with("nibble 0."));
  CHECK(version.out.find("in use") != std::string::npos);
}

TEST_CASE("NIBBLE_ISA forces an instruction set and fails loudly where it cannot") {
  const ChainFixture chain;
  const Ended scalar = run_program({"--version"}, {}, {{"NIBBLE_ISA", "scalar"}});
  CHECK(scalar.out.find("in use scalar") != std::string::npos);
  const Ended unknown = run_program({"run", chain.model, "-p", "a"}, {}, {{"NIBBLE_ISA", "mmx"}});
  CHECK(unknown.exit_code == 2);
  CHECK(is_one_line(unknown.err));
}
