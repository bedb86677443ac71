#include "core/base/distinct_files.h"

#include "core/base/printable.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

fs::path absolute_path(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored);
}

// Also of what is not there yet.
fs::path resolved(const fs::path& path) {
  std::error_code ignored;
  return fs::weakly_canonical(absolute_path(path), ignored);
}

bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored) || resolved(a) == resolved(b);
}

// A link is where it stands and where it leads to.
bool is_in(const fs::path& file, const fs::path& folder) {
  const fs::path whole = resolved(folder);
  for (fs::path at : {resolved(file), resolved(absolute_path(file).parent_path())})
    for (; at.has_relative_path(); at = at.parent_path())
      if (at == whole) return true;
  return false;
}

bool is_read(const fs::path& output, const fs::path& input) {
  if (is_folder(output)) return is_in(input, output);
  if (!is_folder(input)) return is_same(output, input);
  std::error_code error;
  using Folder = fs::recursive_directory_iterator;
  for (Folder at(input, fs::directory_options::skip_permission_denied, error);
       !error && at != Folder(); at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() != ".gguf" && fs::equivalent(at->path(), output, ignored))
      return true;
  }
  return false;
}

}  // namespace

Result<void> check_distinct(std::span<const fs::path> outputs, std::span<const fs::path> inputs) {
  std::error_code ignored;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (fs::is_other(outputs[i], ignored)) continue;
    const std::string name = printable(outputs[i].native(), 200);
    for (const fs::path& other : outputs.first(i))
      if (is_same(outputs[i], other))
        return fail(ErrorKind::kUsage, "{}: is asked for twice", name);
    for (const fs::path& input : inputs)
      if (is_read(outputs[i], input))
        return fail(ErrorKind::kUsage, "{}: {} what is read; choose another output", name,
                    is_folder(outputs[i]) ? "holds" : "is");
  }
  return {};
}

}  // namespace nibble
