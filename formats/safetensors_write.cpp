#include "formats/safetensors_write.h"

#include "core/base/assert.h"
#include "core/base/json.h"

namespace nibble {
namespace {

constexpr size_t kAlignment = 8;  // of the tensors' bytes in the file, as safetensors' own writer

// The length, then the header, filled up with spaces.
std::string header_of(std::span<const SafetensorPlan> tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  uint64_t at = 0;
  for (const SafetensorPlan& t : tensors) {
    Json shape = Json::array();
    for (int d = 0; d < t.shape.n_dims; ++d) shape.push_back(t.shape.dim[static_cast<size_t>(d)]);
    header[t.name] = {{"dtype", std::string(t.type->name)},
                      {"shape", std::move(shape)},
                      {"data_offsets", {at, at + t.n_bytes()}}};
    at += t.n_bytes();
  }
  std::string text = dump_json(header);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::vector<SafetensorsShard> lay_out_safetensors(const std::vector<SafetensorPlan>& tensors,
                                                  uint64_t max_shard_bytes) {
  std::vector<SafetensorsShard> shards;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint64_t n = tensors[i].n_bytes();
    if (shards.empty() || (max_shard_bytes && shards.back().n_bytes + n > max_shard_bytes))
      shards.push_back({.file_name = {}, .header = {}, .first = i});
    ++shards.back().n_tensors;
    shards.back().n_bytes += n;
  }
  for (size_t i = 0; i < shards.size(); ++i) {
    SafetensorsShard& s = shards[i];
    s.file_name = shards.size() == 1
                      ? "model.safetensors"
                      : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    s.header = header_of(std::span(tensors).subspan(s.first, s.n_tensors));
    s.n_bytes += s.header.size();
  }
  return shards;
}

SafetensorsWriter::SafetensorsWriter(std::filesystem::path folder,
                                     std::vector<SafetensorPlan> tensors, uint64_t max_shard_bytes)
    : folder_(std::move(folder)),
      tensors_(std::move(tensors)),
      shards_(lay_out_safetensors(tensors_, max_shard_bytes)) {}

Result<void> SafetensorsWriter::open_next() {
  if (file_) NIBBLE_CHECK(file_->commit());
  NIBBLE_ASSERT(n_opened_ < shards_.size());
  const SafetensorsShard& shard = shards_[n_opened_++];
  NIBBLE_TRY(OutputFile file, OutputFile::create(folder_ / shard.file_name, false));
  file_ = std::make_unique<OutputFile>(std::move(file));
  NIBBLE_CHECK(file_->reserve(shard.n_bytes));
  n_left_ = shard.n_bytes - shard.header.size();
  return file_->write(bytes_of(shard.header));
}

Result<void> SafetensorsWriter::write(std::span<const std::byte> bytes) {
  while (n_left_ == 0 && !bytes.empty()) NIBBLE_CHECK(open_next());
  NIBBLE_ASSERT(bytes.size() <= n_left_);
  n_left_ -= bytes.size();
  return bytes.empty() ? Result<void>() : file_->write(bytes);
}

Result<void> SafetensorsWriter::finish() {
  NIBBLE_ASSERT(n_left_ == 0 && n_opened_ == shards_.size());
  if (file_) NIBBLE_CHECK(file_->commit());
  return shards_.size() > 1 ? write_index() : Result<void>();
}

Result<void> SafetensorsWriter::write_index() const {
  uint64_t total = 0;
  Json map = Json::object();
  for (const SafetensorsShard& shard : shards_)
    for (size_t i = shard.first; i < shard.first + shard.n_tensors; ++i) {
      map[tensors_[i].name] = shard.file_name;
      total += tensors_[i].n_bytes();
    }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
  NIBBLE_TRY(OutputFile file, OutputFile::create(folder_ / "model.safetensors.index.json", false));
  NIBBLE_CHECK(file.write(bytes_of(dump_json(index, 2) + "\n")));
  return file.commit();
}

uint64_t SafetensorsWriter::n_bytes() const {
  uint64_t n = 0;
  for (const SafetensorsShard& shard : shards_) n += shard.n_bytes;
  return n;
}

}  // namespace nibble
