#include "formats/weight_file.h"

#include <algorithm>
#include <cctype>

#include "core/base/mapped_file.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"
#include "formats/folder_model.h"
#include "formats/gguf.h"
#include "formats/lora_file.h"
#include "formats/path_message.h"
#include "formats/safetensors.h"

namespace nibble {
namespace {

constexpr size_t kSniffBytes = 512;

// What is often found where a model was expected: how it begins, and what to say of it.
struct KnownContent {
  std::string_view begins;
  std::string_view message;
};
constexpr KnownContent kKnownContents[] = {
    {"version https://git-lfs",
     "is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'"},
    {"lmgg", "is a GGML file from before GGUF, which nibble does not read"},
    {"fmgg", "is a GGMF file from before GGUF, which nibble does not read"},
    {"tjgg", "is a GGJT file from before GGUF, which nibble does not read"},
    {"algg", "is a GGLA adapter from before GGUF, which nibble does not read"},
    {std::string_view("PK\3\4", 4),
     "is a zip archive (a PyTorch checkpoint?); name the folder it stands in, with its "
     "config.json"},
    {std::string_view("\x80\x02", 2), "is a bare pickle, which nibble does not read"},
    {std::string_view("\x1f\x8b", 2), "is compressed with gzip; unpack it first"},
    {std::string_view("\xfd"
                      "7zXZ",
                      5),
     "is compressed with xz; unpack it first"},
    {std::string_view("\x28\xb5\x2f\xfd", 4), "is compressed with zstd; unpack it first"},
    {std::string_view("7z\xbc\xaf", 4), "is a 7z archive; unpack it first"},
    {"\x7f"
     "ELF",
     "is a program, not a model"},
    {"{", "is a JSON document, not a model; name the folder it stands in"},
    {"[", "is a JSON document, not a model"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_html(std::string_view head) {
  const size_t first = head.find_first_not_of(" \t\r\n");
  const std::string text = first == head.npos ? std::string() : lower(head.substr(first, 16));
  return text.starts_with("<!doctype html") || text.starts_with("<html") ||
         text.starts_with("<head") || text.starts_with("<?xml");
}

// Why a file that is no model nibble reads is none.
std::unexpected<Error> refuse(std::string_view head) {
  if (head.empty()) return corrupt("is empty");
  if (is_html(head))
    return corrupt("is an HTML page, not a model: a download that failed or wanted a login");
  if (begins_safetensors(head))
    return unsupported("is a safetensors file; name the folder it stands in, with its config.json");
  if (std::ranges::all_of(head, [](char c) { return c == 0; }))
    return corrupt("begins with {} zero bytes: a download that did not end?", head.size());
  for (const KnownContent& known : kKnownContents)
    if (head.starts_with(known.begins)) return unsupported("{}", known.message);
  return corrupt("is not a model that nibble knows: it begins with {}, expected 'GGUF'",
                 in_quotes(head.substr(0, 8)));
}

Result<std::unique_ptr<WeightFile>> open_folder(const std::filesystem::path& folder) {
  if (has_file(folder, "config.json")) return open_hf_folder(folder);
  if (has_file(folder, "params.json")) return open_meta_folder(folder);
  if (has_file(folder, kAdapterConfig)) return with_path(folder, adapter_is_no_model());
  return with_path(folder,
                   fail(ErrorKind::kNotFound,
                        "is a folder without a model: it has neither config.json nor params.json"));
}

}  // namespace

const std::filesystem::path& WeightFile::folder() const {
  static const std::filesystem::path none;
  return none;
}

Result<std::unique_ptr<WeightFile>> open_weight_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_folder(path);
  NIBBLE_TRY(MappedFile file, with_path(path, MappedFile::open(path)));
  const std::string_view head = file.text().substr(0, kSniffBytes);
  if (head.starts_with("GGUF")) return gguf::open(std::move(file));
  return with_path(path, refuse(head));
}

}  // namespace nibble
