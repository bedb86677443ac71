#include "core/pipeline/imatrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/byte_cursor.h"
#include "core/base/mapped_file.h"
#include "core/base/output_file.h"
#include "core/base/printable.h"
#include "formats/gguf_write.h"
#include "formats/metadata_draft.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

constexpr std::string_view kSums = ".in_sum2", kCounts = ".counts";
constexpr std::string_view kDatasets = "imatrix.datasets", kChunks = "imatrix.chunk_count",
                           kChunkSize = "imatrix.chunk_size";
constexpr int32_t kMaxEntries = 262'144;
// Columns that were never used matter this much of the mean: rows not seen in the calibration text
// may still be asked for.
constexpr float kLeast = 1e-4f;

Result<std::vector<float>> floats_of(const TensorView& t) {
  if (t.format->name != "f32")
    return corrupt("tensor {}: {}, expected f32", in_quotes(t.name), t.format->name);
  std::vector<float> values(static_cast<size_t>(t.shape.n_elements()));
  std::ranges::copy(t.bytes, std::as_writable_bytes(std::span(values)).begin());
  for (const float v : values)
    if (!std::isfinite(v) || v < 0)
      return corrupt("tensor {}: {}, expected no negative number", in_quotes(t.name), v);
  return values;
}

Result<Imatrix> from_gguf(const WeightFile& file) {
  const Metadata& keys = file.metadata();
  NIBBLE_TRY(const auto type, keys.get_string("general.type"));
  if (type != "imatrix") return unsupported("a GGUF file, but not of an importance matrix");
  Imatrix imatrix;
  NIBBLE_TRY(const auto* datasets, keys.get_strings(kDatasets));
  if (datasets) imatrix.datasets.assign(datasets->begin(), datasets->end());
  NIBBLE_TRY(const auto n_chunks, keys.get_u64(kChunks));
  NIBBLE_TRY(const auto chunk_tokens, keys.get_u64(kChunkSize));
  imatrix.n_chunks = n_chunks.value_or(0);
  imatrix.chunk_tokens = chunk_tokens.value_or(0);
  for (const TensorView& t : file.tensors()) {
    if (!t.name.ends_with(kSums)) continue;
    const std::string name(t.name.substr(0, t.name.size() - kSums.size()));
    const TensorView* counts = file.find(name + std::string(kCounts));
    if (!counts) return corrupt("tensor {} is missing", in_quotes(name + std::string(kCounts)));
    Imatrix::Entry entry;
    NIBBLE_TRY(entry.sums, floats_of(t));
    NIBBLE_TRY(entry.counts, floats_of(*counts));
    if (entry.sums.size() % entry.counts.size() != 0)
      return corrupt("tensor {}: {} counts for {} sums", in_quotes(name), entry.counts.size(),
                     entry.sums.size());
    imatrix.entries.emplace(name, std::move(entry));
  }
  return imatrix;
}

// How many bytes follow: read as a signed number, as the file has it.
Result<uint64_t> read_length(ByteCursor& in, uint64_t item_bytes) {
  const uint64_t at = in.offset();
  NIBBLE_TRY(const auto n, in.read<int32_t>());
  if (n < 0 || static_cast<uint64_t>(n) > in.remaining() / item_bytes)
    return corrupt("byte {}: a length of {}, but only {} bytes follow", at, n, in.remaining());
  return static_cast<uint64_t>(n);
}

Result<void> read_dat_entry(ByteCursor& in, Imatrix& imatrix) {
  NIBBLE_TRY(const uint64_t n_name, read_length(in, 1));
  NIBBLE_TRY(const std::string_view name, in.text(n_name));
  NIBBLE_TRY(const auto n_calls, in.read<int32_t>());
  NIBBLE_TRY(const uint64_t n, read_length(in, sizeof(float)));
  NIBBLE_TRY(const auto bytes, in.take(n * sizeof(float)));
  if (name.empty() || n == 0 || n_calls < 0)
    return corrupt("entry {} has {} values of {} calls", in_quotes(name), n, n_calls);
  Imatrix::Entry entry;
  entry.counts = {static_cast<float>(n_calls)};
  entry.sums.resize(n);
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(entry.sums)).begin());
  for (const float v : entry.sums)
    if (!std::isfinite(v) || v < 0)
      return corrupt("entry {}: {}, expected no negative number", in_quotes(name), v);
  if (!imatrix.entries.emplace(name, std::move(entry)).second)
    return corrupt("entry {} stands there twice", in_quotes(name));
  return {};
}

// i32 entries; of each its name, i32 calls, sums as if each call had counted once; then, in newer
// files, i32 chunks and the text's name.
Result<Imatrix> from_dat(std::span<const std::byte> bytes) {
  ByteCursor in(bytes);
  Imatrix imatrix;
  NIBBLE_TRY(const auto n_entries, in.read<int32_t>());
  if (n_entries < 1 || n_entries > kMaxEntries)
    return corrupt("byte 0: {} entries; is this an importance matrix?", n_entries);
  for (int32_t i = 0; i < n_entries; ++i) NIBBLE_CHECK(read_dat_entry(in, imatrix));
  if (in.remaining() == 0) return imatrix;
  NIBBLE_TRY(const auto n_chunks, in.read<int32_t>());
  imatrix.n_chunks = static_cast<uint64_t>(std::max(n_chunks, 0));
  NIBBLE_TRY(const uint64_t n_text, read_length(in, 1));
  NIBBLE_TRY(const std::string_view text, in.text(n_text));
  if (!text.empty()) imatrix.datasets.emplace_back(text);
  return imatrix;
}

float mean_of(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0f) / static_cast<float>(values.size());
}

// The importance of a matrix's columns, made positive. mean_of_used: of the columns of matrices
// that were used; 0: none was.
void make_positive(std::span<float> importance, float mean_of_used) {
  const float mean = mean_of(importance), unused = mean_of_used > 0 ? mean_of_used : 1.0f;
  for (float& v : importance) v = mean > 0 ? std::max(v, kLeast * mean) : unused;
}

std::string dat_bytes(const Imatrix& imatrix) {
  std::string out;
  const auto put = [&](auto value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(static_cast<int32_t>(imatrix.entries.size()));
  for (const auto& [name, entry] : imatrix.entries) {
    put(static_cast<int32_t>(name.size()));
    out += name;
    const float most = *std::ranges::max_element(entry.counts);
    const float chunk = imatrix.chunk_tokens ? static_cast<float>(imatrix.chunk_tokens) : 1.0f;
    const float n_calls = std::max(std::ceil(most / chunk), 1.0f);
    put(static_cast<int32_t>(n_calls));
    put(static_cast<int32_t>(entry.sums.size()));
    const size_t n_cols = entry.sums.size() / entry.counts.size();
    for (size_t i = 0; i < entry.sums.size(); ++i) {
      const float count = entry.counts[i / n_cols];
      put(count > 0 ? entry.sums[i] / count * n_calls : n_calls);
    }
  }
  put(static_cast<int32_t>(imatrix.n_chunks));
  const std::string text = imatrix.datasets.empty() ? "" : imatrix.datasets.back();
  put(static_cast<int32_t>(text.size()));
  return out + text;
}

Result<void> write_dat(const Imatrix& imatrix, const std::filesystem::path& path, bool overwrite) {
  NIBBLE_TRY(OutputFile file, OutputFile::create(path, overwrite));
  const std::string bytes = dat_bytes(imatrix);
  NIBBLE_CHECK(file.write(std::as_bytes(std::span(bytes))));
  return file.commit();
}

Result<void> write_gguf(const Imatrix& imatrix, const std::filesystem::path& path, bool overwrite) {
  MetadataDraft keys;
  keys.set_text("general.type", "imatrix");
  keys.set_texts(kDatasets, imatrix.datasets);
  keys.set_u32(kChunks, static_cast<uint32_t>(imatrix.n_chunks));
  keys.set_u32(kChunkSize, static_cast<uint32_t>(imatrix.chunk_tokens));
  gguf::FilePlan plan{path, keys.entries(), {}};
  const auto* f32 = quant::find_format("f32");
  for (const auto& [name, entry] : imatrix.entries) {
    const auto n_matrices = std::ssize(entry.counts), n = std::ssize(entry.sums);
    plan.tensors.push_back({name + std::string(kSums), f32, {2, {n_matrices, n / n_matrices}}});
    plan.tensors.push_back({name + std::string(kCounts), f32, {2, {n_matrices, 1}}});
  }
  NIBBLE_TRY(auto writer, gguf::Writer::create(gguf::lay_out(plan), plan.tensors, overwrite));
  for (const auto& [name, entry] : imatrix.entries) {
    NIBBLE_CHECK(writer.write(std::as_bytes(std::span(entry.sums))));
    NIBBLE_CHECK(writer.write(std::as_bytes(std::span(entry.counts))));
  }
  return writer.commit();
}

}  // namespace

Result<std::vector<float>> Imatrix::importance(std::string_view tensor, int64_t n_matrices,
                                               int64_t n_cols) const {
  const auto found = entries.find(tensor);
  if (found == entries.end()) return {};
  const Entry& entry = found->second;
  const size_t n = entry.sums.size(), n_counts = entry.counts.size();
  const auto cols = static_cast<size_t>(n_cols);
  const bool shared = n == cols;  // one matrix's worth, for all
  if (!shared && n != static_cast<size_t>(n_matrices) * cols)
    return invalid_input("the importance matrix has {} values for tensor {}, expected {} x {}", n,
                         in_quotes(tensor), n_matrices, n_cols);
  std::vector<float> result(n);
  for (size_t i = 0; i < n; ++i) {
    const float count = entry.counts[i / (n / n_counts)];
    result[i] = count > 0 ? entry.sums[i] / count : 0;
  }
  std::vector<float> means;
  for (size_t at = 0; at < n; at += cols)
    if (const float mean = mean_of(std::span(result).subspan(at, cols)); mean > 0)
      means.push_back(mean);
  const float mean_of_used = means.empty() ? 0 : mean_of(means);
  for (size_t at = 0; at < n; at += cols)
    make_positive(std::span(result).subspan(at, cols), mean_of_used);
  return result;
}

Result<Imatrix> read_imatrix(const std::filesystem::path& path) {
  auto mapped = with_path(path, MappedFile::open(path));
  if (!mapped) return std::unexpected(std::move(mapped).error());
  if (mapped->text().starts_with("GGUF")) {
    NIBBLE_TRY(const auto file, open_weight_file(path));
    return with_path(path, from_gguf(*file));
  }
  return with_path(path, from_dat(mapped->bytes()));
}

Result<void> write_imatrix(const Imatrix& imatrix, const std::filesystem::path& path,
                           bool overwrite) {
  return path.extension() == ".dat" ? write_dat(imatrix, path, overwrite)
                                    : write_gguf(imatrix, path, overwrite);
}

}  // namespace nibble
