#include "formats/gguf_write.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "core/base/journal.h"
#include "core/base/output_file.h"
#include "formats/checksum.h"
#include "formats/gguf_encode.h"
#include "formats/gguf_leftovers.h"

namespace nibble::gguf {
namespace {

constexpr uint64_t kDataStart = 4096;  // the data section begins at a multiple of it: a page
constexpr size_t kSpareBytes = 1024;   // of room in the header at least
constexpr size_t kReadBytes = size_t{1} << 20;
// Files below this are flushed after each tensor. In larger ones each time would cost a huge page,
// and less than one is lost when the process is killed: see OutputFile::write().
constexpr uint64_t kFlushedBytes = uint64_t{64} << 20;

uint64_t aligned(uint64_t n) {
  return (n + kDefaultAlignment - 1) / kDefaultAlignment * kDefaultAlignment;
}

// Keys that the writer decides on.
bool is_own_key(std::string_view key) {
  return key.starts_with("split.") || key == "general.alignment" || key == kChecksumsKey ||
         key == kSpareKey;
}

struct SplitKeys {
  uint16_t no = 0, count = 1;
  int32_t n_tensors = 0;  // of all files
};

// Keys of one file; `where` becomes the offset of the checksums in it.
uint64_t put_keys(Encoder& out, std::span<const Metadata::Entry> metadata, const SplitKeys& split,
                  size_t n_own_tensors, uint64_t& where) {
  uint64_t n_keys = 0;
  if (split.no == 0)
    for (const auto& entry : metadata)
      if (!is_own_key(entry.key)) {
        out.entry(entry);
        ++n_keys;
      }
  if (split.count > 1) {
    out.key("split.no", ValueType::kU16).number(split.no);
    out.key("split.count", ValueType::kU16).number(split.count);
    out.key("split.tensors.count", ValueType::kI32).number(split.n_tensors);
    n_keys += 3;
  }
  if (n_own_tensors > 0) {
    out.key(kChecksumsKey, ValueType::kArray).number(static_cast<uint32_t>(ValueType::kString));
    out.number(uint64_t{n_own_tensors});
    where = out.bytes().size() + sizeof(uint64_t);
    for (size_t i = 0; i < n_own_tensors; ++i) out.text(std::string(kDigestBytes, '0'));
    ++n_keys;
  }
  return n_keys;
}

std::string descriptors(std::span<const TensorPlan> tensors) {
  Encoder out;
  uint64_t offset = 0;
  for (const TensorPlan& t : tensors) {
    out.text(t.name).number(static_cast<uint32_t>(t.shape.n_dims));
    for (int d = t.shape.n_dims; d-- > 0;)
      out.number(static_cast<uint64_t>(t.shape.dim[static_cast<size_t>(d)]));
    out.number(t.format->gguf_type).number(offset);
    offset += aligned(t.n_bytes());
  }
  return out.bytes();
}

void make_header(Shard& shard, const FilePlan& plan, const SplitKeys& split) {
  const auto own = std::span(plan.tensors).subspan(shard.first, shard.n_tensors);
  Encoder keys;
  const uint64_t n_keys =
      1 + put_keys(keys, plan.metadata, split, own.size(), shard.checksums_offset);
  Encoder out;
  out.raw("GGUF").number(uint32_t{3}).number(uint64_t{own.size()}).number(n_keys);
  shard.checksums_offset += out.bytes().size();
  out.raw(keys.bytes()).key(kSpareKey, ValueType::kString);
  const std::string infos = descriptors(own);
  const size_t least = out.bytes().size() + sizeof(uint64_t) + kSpareBytes + infos.size();
  const size_t n_header = (least + kDataStart - 1) / kDataStart * kDataStart;
  out.text(std::string(kSpareBytes + n_header - least, ' ')).raw(infos);
  NIBBLE_ASSERT(out.bytes().size() == n_header);
  shard.header = out.bytes();
  shard.n_bytes = n_header;
  for (const TensorPlan& t : own) shard.n_bytes += aligned(t.n_bytes());
}

// Which tensors go into which file.
std::vector<Shard> divide(const FilePlan& plan) {
  std::vector<Shard> shards(1);
  if (plan.max_shard_bytes == 0) {
    shards[0].n_tensors = plan.tensors.size();
    return shards;
  }
  Encoder keys;
  uint64_t ignored = 0;
  put_keys(keys, plan.metadata, {}, 0, ignored);
  uint64_t n_bytes = keys.bytes().size() + 2 * kDataStart;
  for (const TensorPlan& t : plan.tensors) {
    // 256: more than dims, type, offset and checksum take
    const uint64_t wanted = aligned(t.n_bytes()) + t.name.size() + 256;
    if (shards.back().n_tensors > 0 && n_bytes + wanted > plan.max_shard_bytes) {
      const size_t first = shards.back().first + shards.back().n_tensors;
      shards.emplace_back().first = first;
      n_bytes = 2 * kDataStart;
    }
    ++shards.back().n_tensors;
    n_bytes += wanted;
  }
  return shards;
}

}  // namespace

std::vector<Shard> lay_out(const FilePlan& plan) {
  std::vector<Shard> shards = divide(plan);
  for (size_t i = 0; i < shards.size(); ++i) {
    shards[i].path = plan.target;
    if (shards.size() > 1)
      shards[i].path.replace_filename(
          fmt::format("{}-{:05}-of-{:05}.gguf", plan.target.stem().native(), i + 1, shards.size()));
    make_header(shards[i], plan,
                {static_cast<uint16_t>(i), static_cast<uint16_t>(shards.size()),
                 static_cast<int32_t>(plan.tensors.size())});
  }
  return shards;
}

struct Writer::State {
  std::vector<Shard> shards;
  std::vector<TensorPlan> tensors;
  std::vector<OutputFile> files;
  std::vector<std::string> digests;    // of the tensors that are complete
  size_t shard = 0;                    // where bytes go
  uint64_t n_written = 0;              // of the tensor that is being written
  std::optional<Xxh3Stream> checksum;  // of it
  std::optional<Journal> journal;      // a line for each complete tensor: its checksum

  const TensorPlan& current() const { return tensors[digests.size()]; }
  Result<void> finish_tensor();
  Result<void> finish_shards();
  std::pair<size_t, uint64_t> place(size_t i) const;
  uint64_t kept_bytes(size_t i, size_t n_tensors) const;
  bool stands(size_t i, const std::string& digest) const;
  void take_up();
  Result<void> start_at(size_t n_tensors);
};

// Pads the tensor, notes its checksum.
Result<void> Writer::State::finish_tensor() {
  static constexpr std::byte kZeros[kDefaultAlignment] = {};
  NIBBLE_CHECK(files[shard].write(std::span(kZeros, aligned(n_written) - n_written)));
  digests.push_back(checksum->digest());
  if (shards[shard].n_bytes < kFlushedBytes) NIBBLE_CHECK(files[shard].flush());
  NIBBLE_CHECK(journal->add(digests.back()));
  checksum.emplace();
  n_written = 0;
  return finish_shards();
}

// Files that have all of their tensors get their checksums.
Result<void> Writer::State::finish_shards() {
  while (shard < shards.size() && digests.size() >= shards[shard].first + shards[shard].n_tensors) {
    const Shard& s = shards[shard];
    Encoder sums;
    for (size_t i = 0; i < s.n_tensors; ++i) sums.text(digests[s.first + i]);
    if (s.n_tensors > 0)
      NIBBLE_CHECK(files[shard].write_at(s.checksums_offset - sizeof(uint64_t),
                                         std::as_bytes(std::span(sums.bytes()))));
    ++shard;
  }
  return {};
}

// The shard that tensor i stands in, and where its bytes begin there.
std::pair<size_t, uint64_t> Writer::State::place(size_t i) const {
  size_t n = 0;
  while (n + 1 < shards.size() && i >= shards[n].first + shards[n].n_tensors) ++n;
  uint64_t offset = shards[n].header.size();
  for (size_t t = shards[n].first; t < i; ++t) offset += aligned(tensors[t].n_bytes());
  return {n, offset};
}

// Whether tensor i, with its padding, stands in the files that were taken up.
bool Writer::State::stands(size_t i, const std::string& digest) const {
  auto [n, offset] = place(i);
  const uint64_t end = offset + aligned(tensors[i].n_bytes());
  if (files[n].n_bytes() < end) return false;
  Xxh3Stream read;
  std::vector<std::byte> bytes(kReadBytes);
  for (uint64_t left = tensors[i].n_bytes(); left > 0;) {
    const std::span piece(bytes.data(), std::min<uint64_t>(left, kReadBytes));
    if (!files[n].read_at(offset, piece)) return false;
    read.update(piece);
    offset += piece.size();
    left -= piece.size();
  }
  return read.digest() == digest;
}

// As the journal tells, as far as that is so: of a large file its last lines may be ahead.
void Writer::State::take_up() {
  for (const std::string& digest : journal->lines()) {
    if (digests.size() == tensors.size() || !stands(digests.size(), digest)) return;
    digests.push_back(digest);
  }
}

// How much of shard i belongs to the first n tensors.
uint64_t Writer::State::kept_bytes(size_t i, size_t n_tensors) const {
  const Shard& s = shards[i];
  if (n_tensors >= s.first + s.n_tensors) return s.n_bytes;
  return n_tensors > s.first ? place(n_tensors).second : 0;
}

Result<void> Writer::State::start_at(size_t n_tensors) {
  digests.resize(n_tensors);
  shard = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    OutputFile& file = files[i];
    const auto header = std::as_bytes(std::span(shards[i].header));
    NIBBLE_CHECK(file.keep_first(kept_bytes(i, n_tensors)));
    NIBBLE_CHECK(file.reserve(shards[i].n_bytes));
    NIBBLE_CHECK(file.n_bytes() ? file.write_at(0, header) : file.write(header));
  }
  NIBBLE_CHECK(journal->start_over(n_tensors));
  return finish_shards();
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::create(std::vector<Shard> shards, std::vector<TensorPlan> tensors,
                              bool overwrite, const Resume& resume) {
  auto state = std::make_unique<State>();
  state->shards = std::move(shards);
  state->tensors = std::move(tensors);
  state->checksum.emplace();
  if (resume.take_up) hide_named(state->shards, state->tensors.size(), resume.subject);
  for (const Shard& shard : state->shards) {
    NIBBLE_TRY(OutputFile file,
               OutputFile::create_partial(shard.path, overwrite, resume.take_up, resume.keep));
    state->files.push_back(std::move(file));
  }
  NIBBLE_TRY(Journal journal, Journal::open(partial_path(state->shards[0].path, "journal"),
                                            resume.subject, resume.take_up, resume.keep));
  state->journal.emplace(std::move(journal));
  state->take_up();
  NIBBLE_CHECK(state->start_at(state->digests.size()));
  return Writer(std::move(state));
}

size_t Writer::n_complete() const { return state_->digests.size(); }

Result<void> Writer::start_at(size_t n) {
  NIBBLE_ASSERT(n <= n_complete() && state_->n_written == 0);
  return n == n_complete() ? Result<void>() : state_->start_at(n);
}

Result<void> Writer::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  NIBBLE_ASSERT(s.digests.size() < s.tensors.size() &&
                bytes.size() <= s.current().n_bytes() - s.n_written);
  s.checksum->update(bytes);
  NIBBLE_CHECK(s.files[s.shard].write(bytes));
  s.n_written += bytes.size();
  return s.n_written == s.current().n_bytes() ? s.finish_tensor() : Result<void>();
}

const std::vector<std::string>& Writer::digests() const { return state_->digests; }

Result<void> Writer::commit() { return commit_all(std::span(this, 1)); }

Result<void> commit_all(std::span<Writer> writers) {
  for (const Writer& writer : writers) {
    Writer::State& s = *writer.state_;
    NIBBLE_ASSERT(s.digests.size() == s.tensors.size());
    for (size_t i = s.files.size(); --i > 0;) NIBBLE_CHECK(s.files[i].give_name());
    NIBBLE_CHECK(s.files[0].commit());
    for (OutputFile& file : s.files) file.settle();
  }
  for (const Writer& writer : writers) writer.state_->journal->remove();
  return {};
}

}  // namespace nibble::gguf
