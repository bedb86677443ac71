// Writes GGUF files, version 3, one or several of a split model: keys, tensor descriptors, then the
// tensors' bytes as they come. The data section begins at a multiple of 4096; each file carries the
// XXH3-128 of its tensors and room for keys to be changed in place. Source: ggml's docs/gguf.md.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/shape.h"
#include "formats/metadata.h"
#include "quant/format.h"

namespace nibble::gguf {

// An array of strings: of each tensor of the file, in order, the XXH3-128 of its bytes.
inline constexpr std::string_view kChecksumsKey = "nibble.xxh3_128";
inline constexpr size_t kDigestBytes = 32;  // of one such text
// A text of spaces, room in the header.
inline constexpr std::string_view kSpareKey = "nibble.spare";

struct TensorPlan {
  std::string name;
  const quant::Format* format = nullptr;
  Shape shape;
  uint64_t n_bytes() const {
    return format->row_bytes(shape.n_cols()) * static_cast<uint64_t>(shape.n_rows());
  }
};

// What is to be written, without the tensors' bytes. Keys that the writer sets itself (split.*,
// general.alignment, checksums, spare) are left out of what is given.
struct FilePlan {
  std::filesystem::path target;
  std::span<const Metadata::Entry> metadata;
  std::vector<TensorPlan> tensors;
  uint64_t max_shard_bytes = 0;  // 0: one file. A shard exceeds it only where one tensor does.
};

struct Shard {
  std::filesystem::path path;  // target, or PREFIX-00001-of-00003.gguf
  size_t first = 0, n_tensors = 0;
  std::string header;             // whole, with zeros for checksums
  uint64_t checksums_offset = 0;  // of the first checksum's text in the header
  uint64_t n_bytes = 0;           // of the whole file
};
// The files that a plan makes, to the byte.
std::vector<Shard> lay_out(const FilePlan& plan);

// How a writer meets what an interrupted run left behind, and what it leaves itself.
struct Resume {
  bool take_up = false;  // goes on behind the tensors that are complete there
  bool keep = false;     // without commit() files stay, to be taken up
  std::string subject;   // what the files are made of, one line: other files are not taken up
};

class Writer {
 public:
  // Sets the space of all files aside. overwrite: existing files are replaced by commit(). Fails
  // with kOutput or kUsage. tensors as in the plan that the shards were made of.
  static Result<Writer> create(std::vector<Shard> shards, std::vector<TensorPlan> tensors,
                               bool overwrite, const Resume& resume = {});
  Writer(Writer&&) noexcept;
  ~Writer();  // without commit(): nothing stays behind

  // Tensors that are complete, each read and found to be what was written.
  size_t n_complete() const;
  // Forgets all but the first n of these.
  Result<void> start_at(size_t n);
  // The bytes of all tensors from n_complete() on in the plan's order, in pieces that do not reach
  // over a tensor's end.
  Result<void> write(std::span<const std::byte> bytes);
  // XXH3-128 of the tensors that are complete, in the plan's order.
  const std::vector<std::string>& digests() const;
  // Makes all files durable under their names, the first one last.
  Result<void> commit();
  // The same of several writers. Journals go last of all, so that a run that ends in between is
  // taken up.
  friend Result<void> commit_all(std::span<Writer> writers);

 private:
  struct State;
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};
Result<void> commit_all(std::span<Writer> writers);

}  // namespace nibble::gguf
