// --lora of several commands.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "core/models/lora.h"

namespace nibble::cli {

// Adds the option, which may be repeated: FILE_OR_FOLDER[:SCALE] each.
Option* add_lora(App& app, std::vector<std::string>& adapters);

// Opened adapters; inputs() borrows from this.
class LoraFiles {
 public:
  // Fails with kUsage on a scale that is no number, else as LoraFile::open().
  static Result<LoraFiles> open(const std::vector<std::string>& adapters);
  std::vector<LoraInput> inputs() const;
  void add_paths(std::vector<std::filesystem::path>& paths) const;  // of files and folders

 private:
  struct Item {
    std::unique_ptr<LoraFile> file;
    float scale = 1;
  };
  std::vector<Item> items_;
};

}  // namespace nibble::cli
