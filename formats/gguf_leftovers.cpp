#include "formats/gguf_leftovers.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "core/base/journal.h"
#include "core/base/output_file.h"

namespace nibble::gguf {
namespace {

bool is_file(const std::filesystem::path& p) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(std::filesystem::symlink_status(p, ignored));
}
bool has_name(const Shard& s) { return is_file(s.path) && !is_file(partial_path(s.path, "part")); }
std::filesystem::path journal_of(std::span<const Shard> shards) {
  return partial_path(shards[0].path, "journal");
}

// As long as planned, with the planned keys and tensors; only checksums may be any.
bool is_as_planned(const Shard& s) {
  std::error_code ignored;
  if (std::filesystem::file_size(s.path, ignored) != s.n_bytes) return false;
  std::string header(s.header.size(), '\0');
  std::ifstream in(s.path, std::ios::binary);
  if (!in.read(header.data(), static_cast<std::streamsize>(header.size()))) return false;
  for (size_t i = 0; i < s.n_tensors; ++i)
    header.replace(s.checksums_offset + i * (sizeof(uint64_t) + kDigestBytes), kDigestBytes,
                   kDigestBytes, '0');
  return header == s.header;
}
// All files stand there under their names, as planned, and the journal too.
bool all_named(std::span<const Shard> shards) {
  return is_file(journal_of(shards)) && std::ranges::all_of(shards, [](const Shard& s) {
           return has_name(s) && is_as_planned(s);
         });
}
// File i does, the first one not yet.
bool named_early(std::span<const Shard> shards, size_t i) {
  const auto& first = shards[0].path;
  return i > 0 && is_file(journal_of(shards)) && is_file(partial_path(first, "part")) &&
         !is_file(first) && has_name(shards[i]);
}

}  // namespace

bool was_named(std::span<const Shard> shards, size_t i) {
  return all_named(shards) || named_early(shards, i);
}

void hide_named(std::span<const Shard> shards, size_t n_tensors, std::string_view subject) {
  const bool all = all_named(shards);
  const auto is_ours = [&] {
    return n_tensors > 0 && Journal::lines_of(journal_of(shards), subject).size() == n_tensors;
  };
  if (all && !is_ours()) return drop_stale_journal(shards);
  std::error_code ignored;  // what keeps its name is refused as existing
  // The first file first: a run that ends in between leaves what was_named() knows.
  for (size_t i = 0; i < shards.size(); ++i)
    if (all || named_early(shards, i))
      std::filesystem::rename(shards[i].path, partial_path(shards[i].path, "part"), ignored);
}

void drop_stale_journal(std::span<const Shard> shards) {
  std::error_code ignored;
  if (std::ranges::all_of(shards, has_name)) std::filesystem::remove(journal_of(shards), ignored);
}

}  // namespace nibble::gguf
