// The types that quantize offers: all of them listed, the poor ones refused without importance.
#include <doctest/doctest.h>

#include "quant/recipe.h"
#include "tests/cli/chain_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("quantize --help lists every mix with its bits per weight") {
  const std::string help = run_program({"quantize", "--help"}).out;
  for (const quant::Mix& mix : quant::mixes()) {
    CAPTURE(mix.name);
    CHECK(help.find(fmt::format("{:<9} {:>7.4f}", mix.name, quant::typical_bpw(mix))) !=
          std::string::npos);
  }
  CHECK(help.find("iq2_xs     2.5882*") != std::string::npos);
  CHECK(help.find("q4_k_m     4.8944 ") != std::string::npos);
}

TEST_CASE("types that are poor without importance are refused, naming the tensor and the options") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "model.gguf", out = folder.path() / "out.gguf";
  write_random_model(model);
  for (const std::string type : {"iq3_xxs", "iq2_s", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s"}) {
    CAPTURE(type);
    const Ended end = run_program({"quantize", model, out, "--type", type, "--from-quantized"});
    CHECK(end.exit_code == 3);
    CHECK(end.err.find("blk.0.") != std::string::npos);
    CHECK(end.err.find("--imatrix") != std::string::npos);
    CHECK(folder.n_files() == 1);
  }
}

TEST_CASE("every format is written and read again") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "model.gguf", out = folder.path() / "out.gguf";
  write_random_model(model);
  for (const std::string format : {"iq4_nl", "iq4_xs", "iq3_s", "tq1_0", "tq2_0", "mxfp4"}) {
    CAPTURE(format);
    const Ended written =
        run_program({"quantize", model, out, "--type", "q8_0", "--tensor", "attn_q=" + format,
                     "--from-quantized", "--force", "--json"});
    CHECK_MESSAGE(written.exit_code == 0, written.err);
    CHECK(written.out.find("\"" + format + "\"") != std::string::npos);
    CHECK(run_program({"eval", out, "--token-ids", "1,2,3", "--greedy", "2"}).exit_code == 0);
  }
}
