// A folder with a chain model, and the program run on it.
#pragma once

#include "tests/cli/chain_model.h"
#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

namespace nibble::tests {

struct ChainFixture {
  TemporaryFolder folder;
  std::string model;
  Environment home;  // no installed models but those put under folder/nibble/models

  explicit ChainFixture(const ChainOptions& options = {}) : model(folder.path() / "chain.gguf") {
    write_chain_model(model, options);
    home = {{"XDG_DATA_HOME", folder.path().string()}};
  }
  // nibble run MODEL arguments...
  Ended run(Arguments arguments, std::string_view input = {}) const {
    arguments.insert(arguments.begin(), {"run", model});
    return run_program(arguments, input, home);
  }
};

}  // namespace nibble::tests
