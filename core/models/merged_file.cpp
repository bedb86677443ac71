// See merged_file.h.
#include "core/models/merged_file.h"

#include <algorithm>

#include "core/base/printable.h"
#include "core/models/family.h"
#include "core/models/tensor_source.h"

namespace nibble {
namespace {

constexpr int64_t kChunk = 256;  // values of a row that are changed at a time

// Where a change of a matrix [n_rows, n_cols] stands in a stored tensor.
struct Patch {
  const LowRank* change;
  int64_t first = 0, step = 1;  // stored row of the matrix's row (of its column, if transposed)
  bool transposed = false;      // stored [n_cols, ..]: the matrix's rows are these columns
  int64_t first_col = 0, col_step = 1;

  // The matrix's row (or column) that a stored row holds; -1: none.
  int64_t place_of(int64_t row) const {
    const int64_t at = row - first, n = transposed ? change->a.n_cols : change->b.n_rows;
    return at >= 0 && at % step == 0 && at / step < n ? at / step : -1;
  }
};

const float* values(const Matrix& m) { return reinterpret_cast<const float*>(m.data); }

// row += B[i] A
void add_row(const LowRank& change, int64_t i, float* row) {
  const int64_t n_cols = change.a.n_cols, rank = change.rank();
  const float* b = values(change.b) + i * rank;
  for (int64_t c = 0; c < n_cols; c += kChunk) {
    const int64_t n = std::min(kChunk, n_cols - c);
    float sum[kChunk] = {};
    for (int64_t r = 0; r < rank; ++r) {
      const float* a = values(change.a) + r * n_cols + c;
      for (int64_t k = 0; k < n; ++k) sum[k] += b[r] * a[k];
    }
    for (int64_t k = 0; k < n; ++k) row[c + k] += sum[k];
  }
}

// row[first + k * step] += B[k] A[.., c]
void add_column(const Patch& p, int64_t c, float* row) {
  const LowRank& change = *p.change;
  const int64_t n_cols = change.a.n_cols, rank = change.rank();
  for (int64_t k = 0; k < change.b.n_rows; ++k) {
    float sum = 0;
    for (int64_t r = 0; r < rank; ++r)
      sum += values(change.b)[k * rank + r] * values(change.a)[r * n_cols + c];
    row[p.first_col + k * p.col_step] += sum;
  }
}

class MergedDecoder final : public RowDecoder {
 public:
  MergedDecoder(const TensorView& base, std::vector<Patch> patches)
      : base_(base), patches_(std::move(patches)) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    for (int64_t r = 0; r < n; ++r) {
      float* row = out + static_cast<size_t>(r) * stride;
      decode_rows(base_, first + r, 1, row);
      for (const Patch& p : patches_) {
        const int64_t at = p.place_of(first + r);
        if (at < 0) continue;
        p.transposed ? add_column(p, at, row) : add_row(*p.change, at, row);
      }
    }
  }

 private:
  TensorView base_;
  std::vector<Patch> patches_;
};

// The place of matrix `index` of spec in one stored tensor; alone: the tensor is this matrix's own.
Patch place(const TensorSpec& spec, const Hparams& h, const TensorView& stored,
            const LowRank& change, int index, bool alone) {
  const int64_t n_rows = change.b.n_rows, n_cols = change.a.n_cols;
  const int64_t matrix = alone ? 0 : index;
  if (!h.hf_rows) return {.change = &change, .first = matrix * n_rows};
  if (spec.fix == Fix::kKeyPart || spec.fix == Fix::kValuePart) {
    const int64_t first = int64_t{index} * (h.mla.d_nope + h.mla.d_v);
    if (spec.fix == Fix::kKeyPart) return {.change = &change, .first = first, .transposed = true};
    return {.change = &change, .first = first + h.mla.d_nope};
  }
  const int64_t step = spec.interleaved ? spec.n_parts : 1;
  const int64_t first = spec.interleaved ? spec.part : spec.part * n_rows;
  if (spec.fix == Fix::kTranspose && stored.format->block_len == 1)
    return {.change = &change,
            .first = matrix * n_cols,
            .transposed = true,
            .first_col = first,
            .col_step = step};
  return {.change = &change, .first = matrix * n_rows * spec.n_parts + first, .step = step};
}

class Patcher {
 public:
  Patcher(const WeightFile& base, const Hparams& h, const std::vector<TensorSpec>& table)
      : h_(h), table_(table), source_(base, h, none_) {}

  // Looks for the stored tensor; merged: and puts the change there.
  Result<void> add(const LoraWeights::Key& key, const LowRank& change, bool merged) {
    for (const TensorSpec& spec : table_) {
      if (spec.gguf_name != key.first) continue;
      NIBBLE_TRY(const auto found, source_.find(spec));
      if (found.empty()) continue;
      const bool alone = found.size() > 1;
      const TensorView& stored = *found[alone ? static_cast<size_t>(key.second) : 0];
      if (!h_.hf_rows && stored.name.find("attn_kv_b") != std::string_view::npos)
        return invalid_input("tensor {}: an adapter for it is not built in",
                             in_quotes(stored.name));
      if (merged) patches[&stored].push_back(place(spec, h_, stored, change, key.second, alone));
      return {};
    }
    return invalid_input("the adapter changes {}, which the base does not store",
                         in_quotes(key.first));
  }

  std::map<const TensorView*, std::vector<Patch>> patches;

 private:
  const Hparams& h_;
  const std::vector<TensorSpec>& table_;
  OwnedParts none_;
  TensorSource source_;
};

}  // namespace

Result<std::unique_ptr<MergedFile>> MergedFile::create(const WeightFile& base,
                                                       const Hparams& hparams,
                                                       const std::vector<TensorSpec>& table,
                                                       const LoraWeights& lora, Which which) {
  Patcher patcher(base, hparams, table);
  for (const auto& [key, change] : lora.changes())
    NIBBLE_CHECK(
        patcher.add(key, change.low_rank, which == Which::kAll || change.spec.shape.n_dims == 3));
  std::unique_ptr<MergedFile> out(new MergedFile(base));
  for (const TensorView& t : base.tensors()) {
    out->tensors_.push_back(t);
    const auto at = patcher.patches.find(&t);
    if (at == patcher.patches.end()) continue;
    out->decoders_.push_back(std::make_unique<MergedDecoder>(t, std::move(at->second)));
    out->tensors_.back().decoder = out->decoders_.back().get();
    // F32: the sum of a 16-bit number and a change is seldom a 16-bit number.
    if (t.format->block_len == 1) out->tensors_.back().format = quant::find_format("f32");
  }
  return out;
}

Result<std::unique_ptr<MergedFile>> MergedFile::create(std::unique_ptr<WeightFile> base,
                                                       std::span<const LoraInput> adapters) {
  NIBBLE_TRY(const Family family, read_family(*base));
  const auto table = family.architecture->tensors(family.hparams);
  NIBBLE_TRY(auto bound, LoraWeights::bind(adapters, family.hparams, table));
  auto lora = std::make_unique<LoraWeights>(std::move(bound));
  NIBBLE_TRY(auto out, create(*base, family.hparams, table, *lora, Which::kAll));
  out->owned_base_ = std::move(base);
  out->owned_lora_ = std::move(lora);
  return out;
}

// In the base's order, so that its own index serves.
const TensorView* MergedFile::find(std::string_view name) const {
  const TensorView* t = base_.find(name);
  return t ? &tensors_[static_cast<size_t>(t - base_.tensors().data())] : nullptr;
}

}  // namespace nibble
