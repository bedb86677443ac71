#include "cli/model_path.h"

#include <algorithm>
#include <cstdlib>

namespace nibble::cli {
namespace fs = std::filesystem;

fs::path models_folder() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base =
      data && *data == '/' ? fs::path(data) : fs::path(home ? home : "/") / ".local/share";
  return base / "nibble/models";
}

std::vector<std::string> installed_models() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(models_folder(), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (at->path().extension() == ".gguf" || at->is_directory(ignored)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<fs::path> find_model(const std::optional<std::string>& model) {
  if (model && model->empty()) return fail(ErrorKind::kUsage, "the model's name is empty");
  std::error_code error;
  const std::string name = model.value_or(kDefaultModel);
  if (model && fs::exists(*model, error)) return fs::path(*model);
  if (name.find('/') == std::string::npos && name != "." && name != "..")
    for (const char* ending : {"", ".gguf"})
      if (const fs::path path = models_folder() / (name + ending); fs::exists(path, error))
        return path;
  if (!model)
    return fail(
        ErrorKind::kNotFound,
        "no MODEL was given and the default one is not installed: {} is not in {}; name a file, or "
        "install it with scripts/run",
        kDefaultModel, models_folder().string());
  return fail(ErrorKind::kNotFound,
              "{}: no such file, nor a model in {}; 'nibble inspect' lists the installed ones",
              *model, models_folder().string());
}

std::vector<fs::path> paths_of(const WeightFile& model) {
  std::vector<fs::path> paths(model.files().begin(), model.files().end());
  if (!model.folder().empty()) paths.push_back(model.folder());
  return paths;
}

}  // namespace nibble::cli
