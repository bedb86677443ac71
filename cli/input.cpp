#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/model_path.h"
#include "formats/lora_file.h"

namespace nibble::cli {
namespace {

constexpr size_t kReadBytes = 1 << 16;

Result<std::string> read_all(int fd, const std::string& name) {
  std::string text;
  while (true) {
    const size_t before = text.size();
    text.resize(before + kReadBytes);
    const ssize_t n = read(fd, text.data() + before, kReadBytes);
    text.resize(before + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n == 0) return text;
    if (n < 0 && errno != EINTR) return invalid_input("{}: {}", name, strerror(errno));
  }
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::kNotFound, "{}: {}", path, strerror(errno));
  auto text = read_all(fd, path);
  close(fd);
  return text;
}

Result<std::unique_ptr<Tokenizer>> read_tokenizer(const TextSource& source) {
  std::error_code error;
  if (std::filesystem::is_directory(source.path, error))
    return with_path(source.path, Tokenizer::from_folder(source.path));
  return with_path(source.path, Tokenizer::from_gguf(source.file->metadata()));
}

Result<TextSource> open_text_source(const std::optional<std::string>& model) {
  TextSource source;
  NIBBLE_TRY(source.path, find_model(model));
  std::error_code error;
  if (!std::filesystem::is_directory(source.path, error)) {
    NIBBLE_CHECK(open_weights(source));
    NIBBLE_CHECK(with_path(source.path, refuse_adapter(source.file->metadata())));
  }
  NIBBLE_TRY(source.tokenizer, read_tokenizer(source));
  return source;
}

Result<void> open_weights(TextSource& source) {
  if (source.file) return {};
  NIBBLE_TRY(source.file, open_weight_file(source.path));
  return {};
}

}  // namespace nibble::cli
