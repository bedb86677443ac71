// Quantizing and converting that are interrupted: what stays behind, and that it is taken up to the
// same bytes.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/pipeline/convert.h"
#include "core/pipeline/quantize.h"
#include "tests/child_process.h"
#include "tests/cli/chain_model.h"
#include "tests/cli/folder_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int64_t kBatch = 32 * 1024;  // weights: 23 batches

struct Work {
  TemporaryFolder folder;
  std::string model = folder.path() / "model.gguf", out = folder.path() / "out.gguf";
  std::string straight;  // the bytes of an undisturbed run

  Work() {
    write_random_model(model, {.format = "f16"});
    const std::string target = folder.path() / "straight.gguf";
    REQUIRE(run_program({"quantize", model, target, "--type", "q4_k_m"}).exit_code == 0);
    straight = folder.read("straight.gguf");
  }
  std::string written() const { return folder.read("out.gguf"); }

  // In this process; go_on is asked before each batch.
  Result<RecodeResult> quantize(FunctionRef<bool()> go_on, bool resume,
                                const char* mix = "q4_k_m") const {
    NIBBLE_TRY(const auto source, open_weight_file(model));
    QuantizeOptions options;
    options.targets = {{.path = out, .mix = quant::find_mix(mix)}};
    NIBBLE_TRY(auto plans, plan_quantize(*source, options));
    ThreadPool pool(1);
    const auto ask = [&](uint64_t, uint64_t) { return go_on(); };
    return nibble::quantize(*source, plans, nullptr, pool,
                            {.batch_weights = kBatch, .resume = resume, .go_on = ask});
  }
  // As kill -9 does, before batch n.
  void kill_at(int n) const {
    const ChildEnd end = in_child([&] {
      const auto count = [&] {
        if (n-- == 0) ::raise(SIGKILL);
        return true;
      };
      (void)quantize(count, false);
    });
    REQUIRE(end.signal == SIGKILL);
  }
};

constexpr auto forever = [] { return true; };

// Converting a folder into several files.
struct Conversion {
  static constexpr uint64_t kShard = 100'000;
  TemporaryFolder folder;
  std::string model = folder.path() / "model", out = folder.path() / "out.gguf";
  std::string straight;  // names and bytes of an undisturbed run
  int n_batches = 0;

  Conversion() {
    write_folder_model(model);
    REQUIRE(convert([&] { return ++n_batches > 0; }, false));
    straight = files();
    clear();
  }
  // Names of files, hidden ones too, and their bytes.
  std::string files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.is_regular_file()) found[entry.path().filename()] = {};
    std::string all;
    for (const auto& [name, ignored] : found) all += name + "\n" + folder.read(name);
    return all;
  }
  std::filesystem::path shard(int i) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.path().filename().native().contains(fmt::format("out-{:05}-of-", i)))
        return entry.path();
    return {};
  }
  void clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.is_regular_file()) std::filesystem::remove(entry.path());
  }
  Ended resume() const {
    return run_program({"convert", model, "-o", out, "--type", "f32", "--max-shard",
                        std::to_string(kShard), "--resume"});
  }
  // In this process; go_on is asked before each batch.
  Result<RecodeResult> convert(FunctionRef<bool()> go_on, bool resume) const {
    NIBBLE_TRY(const GgufSource source, open_as_gguf(model));
    ThreadPool pool(1);
    NIBBLE_CHECK(source.converted->hash_sources(pool, [](uint64_t, uint64_t) { return true; }));
    QuantizeOptions options;
    options.targets = {{.path = out, .mix = quant::find_mix("f32")}};
    options.max_shard_bytes = kShard;
    NIBBLE_TRY(auto plans, plan_quantize(*source.file, options));
    uint64_t done = 0, total = 0;
    const auto ask = [&](uint64_t n, uint64_t of) {
      done = n;
      total = of;
      return go_on();
    };
    auto result = nibble::quantize(*source.file, plans, nullptr, pool,
                                   {.batch_weights = 1, .resume = resume, .go_on = ask});
    if (result) CHECK(done == total);
    return result;
  }
};

}  // namespace

TEST_CASE("a run that was killed leaves no output, and is taken up to the same bytes") {
  const Work work;
  size_t most = 0;
  for (int moment = 0; moment < 20; ++moment) {
    CAPTURE(moment);
    work.kill_at(moment + 2);
    CHECK_FALSE(std::filesystem::exists(work.out));
    const auto result = work.quantize(forever, true);
    REQUIRE(result);
    CHECK(result->n_taken_up >= most);
    most = result->n_taken_up;
    CHECK(work.written() == work.straight);
    CHECK(work.folder.n_files() == 3);
    std::filesystem::remove(work.out);
  }
  CHECK(most > 10);
}

TEST_CASE("quantize --resume goes on where a killed run ended") {
  const Work work;
  work.kill_at(15);
  const Ended end =
      run_program({"quantize", work.model, work.out, "--type", "q4_k_m", "--resume", "--errors"});
  CHECK(end.exit_code == 0);
  CHECK(end.err.find("took up ") != std::string::npos);
  CHECK(work.written() == work.straight);
  CHECK(work.folder.n_files() == 3);
  const Ended straight =
      run_program({"quantize", work.model, work.out, "--type", "q4_k_m", "--force", "--errors"});
  CHECK(straight.out == end.out);  // what the weights lost too
}

TEST_CASE("without --resume a killed run is not taken up, and its files are used again") {
  const Work work;
  work.kill_at(15);
  CHECK(work.folder.n_files() == 4);  // the hidden file and its journal
  const Ended end = run_program({"quantize", work.model, work.out, "--type", "q4_k_m"});
  CHECK(end.exit_code == 0);
  CHECK(end.err.empty());
  CHECK(work.written() == work.straight);
  CHECK(work.folder.n_files() == 3);
}

TEST_CASE("an interrupt leaves nothing, or what can be taken up, as asked") {
  const Work work;
  int n = 12;
  const auto stop = [&] { return n-- > 0; };
  CHECK(work.quantize(stop, false).error().kind == ErrorKind::kInterrupted);
  CHECK(work.folder.n_files() == 2);
  n = 12;
  CHECK(work.quantize(stop, true).error().kind == ErrorKind::kInterrupted);
  CHECK(work.folder.n_files() == 4);
  const auto result = work.quantize(forever, true);
  REQUIRE(result);
  CHECK(result->n_taken_up > 0);
  CHECK(work.written() == work.straight);
}

TEST_CASE("a journal beside a file that is complete goes with the next run") {
  const Work work;
  const auto journal = work.folder.path() / ".out.gguf.nibble-journal";
  const auto kept = work.folder.path() / "kept";
  bool first = true;
  const auto keep_journal = [&] {
    if (std::exchange(first, false)) std::filesystem::create_hard_link(journal, kept);
    return true;
  };
  REQUIRE(work.quantize(keep_journal, false));
  std::filesystem::rename(kept, journal);  // as a run leaves it that is killed before its last step
  const auto run = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"quantize", work.model, work.out, "--type"});
    return run_program(options);
  };
  SUBCASE("which finds that all is done") {
    const Ended end = run({"q4_k_m", "--resume"});
    CHECK_MESSAGE(end.exit_code == 0, end.err);
    CHECK(end.err.find("took up 21 of 21 tensors") != std::string::npos);
  }
  SUBCASE("which refuses to replace the file") { CHECK(run({"q4_k_m"}).exit_code == 2); }
  SUBCASE("which is of other work") { CHECK(run({"q8_0", "--resume"}).exit_code == 2); }
  SUBCASE("which leaves another file of that length alone") {
    const std::string other(work.straight.size(), 'x');
    work.folder.write("out.gguf", other);
    CHECK(run({"q4_k_m", "--resume"}).exit_code == 2);
    CHECK(work.written() == other);
    work.folder.write("out.gguf", work.straight);
  }
  CHECK(work.written() == work.straight);
  CHECK(work.folder.n_files() == 3);
}

TEST_CASE("a run that ended between the names of two outputs is taken up") {
  const Work work;
  const std::string second = work.folder.path() / "second.gguf";
  const auto both = [&](FunctionRef<bool()> go_on) -> Result<RecodeResult> {
    NIBBLE_TRY(const auto source, open_weight_file(work.model));
    QuantizeOptions options;
    options.targets = {{.path = work.out, .mix = quant::find_mix("q4_k_m")},
                       {.path = second, .mix = quant::find_mix("q8_0")}};
    NIBBLE_TRY(auto plans, plan_quantize(*source, options));
    ThreadPool pool(1);
    const auto ask = [&](uint64_t, uint64_t) { return go_on(); };
    return nibble::quantize(*source, plans, nullptr, pool,
                            {.batch_weights = kBatch, .resume = true, .go_on = ask});
  };
  const auto in_the_way = [&] {
    work.folder.write("second.gguf", "");
    return true;
  };
  CHECK_FALSE(both(in_the_way));
  std::filesystem::remove(second);
  CHECK(work.written() == work.straight);
  const Ended end = run_program({"quantize", work.model, work.out, "--type", "q4_k_m", "--also",
                                 second + "=q8_0", "--resume"});
  CHECK_MESSAGE(end.exit_code == 0, end.err);
  CHECK(end.err.find("took up 21 of 21 tensors") != std::string::npos);
  CHECK(work.written() == work.straight);
  CHECK(work.folder.n_files() == 4);
}

TEST_CASE("what was damaged or belongs to other work is not taken up") {
  const Work work;
  work.kill_at(15);
  const std::string name = ".out.gguf.nibble-part";
  std::string part = work.folder.read(name);
  part[part.size() / 4] = static_cast<char>(part[part.size() / 4] ^ 1);
  work.folder.write(name, part);
  const auto damaged = work.quantize(forever, true);
  REQUIRE(damaged);
  CHECK(damaged->n_taken_up > 0);
  CHECK(work.written() == work.straight);
  std::filesystem::remove(work.out);
  work.kill_at(15);
  const auto other = work.quantize(forever, true, "q8_0");
  REQUIRE(other);
  CHECK(other->n_taken_up == 0);
}

TEST_CASE("what was made of other weights is not taken up, were they of the same size and time") {
  const Work work;
  work.kill_at(15);
  const auto time = std::filesystem::last_write_time(work.model);
  std::string weights = work.folder.read("model.gguf");
  for (size_t i = weights.size() / 3; i < weights.size(); i += 1000)
    weights[i] = static_cast<char>(weights[i] ^ 1);  // the last bit of a 16-bit float
  work.folder.write("model.gguf", weights);
  std::filesystem::last_write_time(work.model, time);
  const auto resumed = work.quantize(forever, true);
  REQUIRE(resumed);
  CHECK(resumed->n_taken_up == 0);
  const std::string bytes = work.written();
  CHECK(bytes != work.straight);
  std::filesystem::remove(work.out);
  REQUIRE(work.quantize(forever, false));
  CHECK(work.written() == bytes);
}

TEST_CASE("two runs do not write one file") {
  const Work work;
  int code = -1;
  std::string message;
  bool first = true;
  const auto meanwhile = [&] {
    if (std::exchange(first, false)) {
      const Ended end = run_program({"quantize", work.model, work.out, "--type", "q8_0"});
      code = end.exit_code;
      message = end.err;
    }
    return true;
  };
  CHECK(work.quantize(meanwhile, false));
  CHECK(code == 6);
  CHECK(message.find("another process is writing it") != std::string::npos);
  CHECK(work.written() == work.straight);
}

TEST_CASE("a conversion that was killed leaves no file, and is taken up to the same bytes") {
  const Conversion work;
  REQUIRE(work.n_batches >= 20);
  for (int moment = 0; moment < 20; ++moment) {
    CAPTURE(moment);
    int n = moment * work.n_batches / 20;
    const ChildEnd end = in_child([&] {
      (void)work.convert(
          [&] {
            if (n-- == 0) ::raise(SIGKILL);
            return true;
          },
          false);
    });
    REQUIRE(end.signal == SIGKILL);
    CHECK_FALSE(work.files().contains("\nout-"));
    if (moment % 5 == 4)
      CHECK(work.resume().exit_code == 0);
    else
      CHECK(work.convert(forever, true));
    CHECK(work.files() == work.straight);
    work.clear();
  }
}

TEST_CASE("a run that ended while its files got their names is taken up") {
  const Conversion work;
  std::filesystem::path first;
  int n = 0;
  const auto in_the_way = [&] {  // of the first file, which gets its name last
    if (++n < work.n_batches) return true;
    std::string name = work.shard(1).filename();
    name = name.substr(1, name.find(".gguf") + 4);
    work.folder.write(name, "");
    first = work.folder.path() / name;
    return true;
  };
  CHECK_FALSE(work.convert(in_the_way, true));
  std::filesystem::remove(first);
  CHECK(work.shard(2).filename().native().starts_with("out-"));
  SUBCASE("with --resume") {
    const Ended end = work.resume();
    CHECK_MESSAGE(end.exit_code == 0, end.err);
    CHECK(end.err.find("took up") != std::string::npos);
    CHECK(work.files().size() == work.straight.size());
    CHECK(work.files() == work.straight);
  }
  SUBCASE("a file that belongs to no such run is not touched") {
    std::filesystem::remove(work.folder.path() /
                            ("." + first.filename().native() + ".nibble-journal"));
    CHECK(work.resume().exit_code == 2);
  }
}
