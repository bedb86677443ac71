#include "formats/gguf_write.h"

#include <algorithm>
#include <optional>

#include "core/base/assert.h"
#include "core/base/output_file.h"
#include "formats/checksum.h"
#include "formats/gguf_encode.h"

namespace nibble::gguf {
namespace {

constexpr uint64_t kDataStart = 4096;  // the data section begins at a multiple of it: a page
constexpr size_t kSpareBytes = 1024;   // of room in the header at least
constexpr size_t kDigestBytes = 32;    // of a checksum's text

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
    // name, dims, type, offset and checksum are below 512 bytes with names as files have them
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

  const TensorPlan& current() const { return tensors[digests.size()]; }
  Result<void> finish_tensor();
  Result<void> finish_shards();
};

// Pads the tensor, notes its checksum.
Result<void> Writer::State::finish_tensor() {
  static constexpr std::byte kZeros[kDefaultAlignment] = {};
  NIBBLE_CHECK(files[shard].write(std::span(kZeros, aligned(n_written) - n_written)));
  digests.push_back(checksum->digest());
  checksum.emplace();
  n_written = 0;
  return finish_shards();
}

// Files that have all of their tensors get their checksums.
Result<void> Writer::State::finish_shards() {
  while (shard < shards.size() && digests.size() == shards[shard].first + shards[shard].n_tensors) {
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

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::create(std::vector<Shard> shards, std::vector<TensorPlan> tensors,
                              bool overwrite) {
  auto state = std::make_unique<State>();
  state->shards = std::move(shards);
  state->tensors = std::move(tensors);
  state->checksum.emplace();
  for (const Shard& shard : state->shards) {
    NIBBLE_TRY(OutputFile file, OutputFile::create(shard.path, overwrite));
    NIBBLE_CHECK(file.reserve(shard.n_bytes));
    NIBBLE_CHECK(file.write(std::as_bytes(std::span(shard.header))));
    state->files.push_back(std::move(file));
  }
  NIBBLE_CHECK(state->finish_shards());
  return Writer(std::move(state));
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

Result<void> Writer::commit() {
  NIBBLE_ASSERT(state_->digests.size() == state_->tensors.size());
  for (size_t i = state_->files.size(); i-- > 0;) NIBBLE_CHECK(state_->files[i].commit());
  return {};
}

}  // namespace nibble::gguf
