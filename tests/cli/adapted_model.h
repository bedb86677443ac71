// A folder model, the same as GGUF, and a PEFT adapter for it.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/adapter_files.h"
#include "tests/cli/folder_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

namespace nibble::tests {

struct AdaptedModel {
  TemporaryFolder folder;
  std::string model = folder.path() / "model", gguf = folder.path() / "model.gguf",
              back = folder.path() / "back", adapter = folder.path() / "adapter";

  AdaptedModel() {
    write_folder_model(model);
    REQUIRE(run({"convert", model, "-o", gguf}).exit_code == 0);
    constexpr int kWidth = 64;  // of the folder model
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

}  // namespace nibble::tests
