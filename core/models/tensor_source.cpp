// See tensor_source.h. Where a folder's layout differs from GGUF's, a view of a row range serves if
// one can; matrices that are stored transposed or with alternating rows are copied in their own
// format, the key part of MLA's kv_b in f32.
#include "core/models/tensor_source.h"

#include <algorithm>
#include <cstring>

#include "quant/format.h"

namespace nibble {
namespace {

// Leading dimensions of one do not count: [1, n] is [n].
Shape squeezed(const Shape& s) {
  Shape out;
  int d = 0;
  while (d + 1 < s.n_dims && s.dim[d] == 1) ++d;
  for (; d < s.n_dims; ++d) out.dim[out.n_dims++] = s.dim[d];
  return out;
}

std::string replaced(std::string_view name, std::string_view what, int i) {
  std::string out(name);
  const size_t at = out.find(what);
  if (at != std::string::npos) out.replace(at, what.size(), std::to_string(i));
  return out;
}

Matrix view(const TensorView& t, int64_t first_row, int n_rows) {
  const auto n_cols = static_cast<int>(t.shape.n_cols());
  if (t.decoder) return {t.format, t.bytes.data(), n_rows, n_cols, t.decoder, first_row};
  return {t.format, t.bytes.data() + static_cast<size_t>(first_row) * t.row_bytes(), n_rows,
          n_cols};
}

// The columns of a matrix [n_rows, n_cols] of plain numbers, as rows: GPT-2's Conv1D, experts of
// Llama 4 and gpt-oss.
class ColumnDecoder final : public RowDecoder {
 public:
  ColumnDecoder(const quant::Format& format, const std::byte* data, int64_t n_rows, int64_t n_cols)
      : dequantize_(quant::kernels(format).dequantize),
        data_(data),
        n_rows_(n_rows),
        row_bytes_(format.row_bytes(n_cols)),
        element_bytes_(format.block_bytes) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    constexpr int64_t kRun = 64;
    float run[kRun];
    for (int64_t r = 0; r < n_rows_; ++r)
      for (int64_t c = 0; c < n; c += kRun) {
        const int64_t count = std::min(kRun, n - c);
        dequantize_(data_ + r * row_bytes_ + (first + c) * element_bytes_, count, run);
        for (int64_t i = 0; i < count; ++i) out[(c + i) * stride + r] = run[i];
      }
  }

 private:
  void (*dequantize_)(const std::byte*, int64_t, float*);
  const std::byte* data_;
  int64_t n_rows_;
  size_t row_bytes_;
  int element_bytes_;
};

// Rows as they stand, for a matrix that takes only each second one.
class PlainDecoder final : public RowDecoder {
 public:
  PlainDecoder(const quant::Format& format, const std::byte* data, int64_t n_cols)
      : dequantize_(quant::kernels(format).dequantize),
        data_(data),
        n_cols_(n_cols),
        row_bytes_(format.row_bytes(n_cols)) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    for (int64_t r = 0; r < n; ++r)
      dequantize_(data_ + (first + r) * row_bytes_, n_cols_, out + r * stride);
  }

 private:
  void (*dequantize_)(const std::byte*, int64_t, float*);
  const std::byte* data_;
  int64_t n_cols_;
  size_t row_bytes_;
};

constexpr std::string_view kEmbeddings[] = {"model.embed_tokens.weight", "transformer.wte.weight",
                                            "transformer.word_embeddings.weight",
                                            "gpt_neox.embed_in.weight"};

}  // namespace

TensorSource::TensorSource(const WeightFile& file, const Hparams& hparams, OwnedParts& owned)
    : file_(file), hparams_(hparams), owned_(owned.bytes), decoders_(owned.decoders) {
  if (!hparams_.hf_rows) return;
  for (const HfPrefix& p : kHfPrefixes)
    for (const std::string_view name : kEmbeddings)
      if (file_.find(p.of(name))) {
        prefix_ = p;
        return;
      }
}

const TensorView* TensorSource::find_one(std::string_view name) const {
  return hparams_.hf_rows ? file_.find(prefix_.of(name)) : file_.find(name);
}

std::byte* TensorSource::own(size_t n_bytes) {
  owned_.push_back(std::make_unique_for_overwrite<std::byte[]>(n_bytes));
  return owned_.back().get();
}

Result<void> TensorSource::check_shape(const TensorView& tensor, const Shape& expected) const {
  if (squeezed(tensor.shape) != squeezed(expected))
    return corrupt("tensor '{}': shape {}, expected {}", tensor.name, to_string(tensor.shape),
                   to_string(expected));
  return {};
}

// name with {e} or {h}: n tensors, all or none; else one.
Result<std::vector<const TensorView*>> TensorSource::find_named(std::string_view name,
                                                                int n) const {
  std::vector<const TensorView*> found;
  const char* mark = name.find("{e}") != name.npos   ? "{e}"
                     : name.find("{h}") != name.npos ? "{h}"
                                                     : nullptr;
  if (!mark) {
    if (const TensorView* t = find_one(name)) found.push_back(t);
    return found;
  }
  for (int i = 0; i < n; ++i) {
    const std::string one = replaced(name, mark, i);
    const TensorView* t = find_one(one);
    if (!t && i == 0) return found;
    if (!t) return corrupt("tensor '{}' is missing", one);
    found.push_back(t);
  }
  return found;
}

// GGUF names, and the older ones: experts one by one, kv_b in one piece.
Result<std::vector<const TensorView*>> TensorSource::find_gguf(const TensorSpec& spec) const {
  NIBBLE_TRY(auto found, find_named(spec.gguf_name, 1));
  if (!found.empty()) return found;
  std::string old = spec.gguf_name;
  if (const size_t at = old.find("_exps.weight"); at != old.npos) {
    old.replace(at, 5, ".{e}");
    return find_named(old, static_cast<int>(spec.shape.dim[0]));
  }
  if (spec.fix == Fix::kKeyPart || spec.fix == Fix::kValuePart) {
    old.replace(old.find("attn_"), std::string::npos, "attn_kv_b.weight");
    return find_named(old, 1);
  }
  return found;
}

Result<std::vector<const TensorView*>> TensorSource::find(const TensorSpec& spec) const {
  if (!hparams_.hf_rows) return find_gguf(spec);
  std::string_view names = spec.hf_name;
  while (!names.empty()) {
    const size_t end = std::min(names.find('|'), names.size());
    NIBBLE_TRY(auto found, find_named(names.substr(0, end), static_cast<int>(spec.shape.dim[0])));
    if (!found.empty()) return found;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return std::vector<const TensorView*>();
}

// kv_b [n_head * (d_nope + d_v), kv_lora] -> for each head its key part [kv_lora, d_nope],
// transposed and in f32, or its value part [d_v, kv_lora], a view.
Result<std::vector<Matrix>> TensorSource::kv_b_parts(const TensorSpec& spec,
                                                     const TensorView& kv_b) {
  const MlaHparams& m = hparams_.mla;
  const int n_head = hparams_.n_head, rows = m.d_nope + m.d_v;
  NIBBLE_CHECK(check_shape(kv_b, Shape{2, {int64_t{n_head} * rows, m.kv_lora}}));
  std::vector<Matrix> out;
  for (int h = 0; h < n_head; ++h) {
    const int64_t first = int64_t{h} * rows;
    if (spec.fix == Fix::kValuePart) {
      out.push_back(view(kv_b, first + m.d_nope, m.d_v));
      continue;
    }
    auto* keys = reinterpret_cast<float*>(own(sizeof(float) * m.kv_lora * m.d_nope));
    std::vector<float> row(m.kv_lora);
    for (int r = 0; r < m.d_nope; ++r) {
      decode_rows(kv_b, first + r, 1, row.data());
      for (int c = 0; c < m.kv_lora; ++c) keys[static_cast<size_t>(c) * m.d_nope + r] = row[c];
    }
    out.push_back(
        {quant::find_format("f32"), reinterpret_cast<const std::byte*>(keys), m.kv_lora, m.d_nope});
  }
  return out;
}

// One stored tensor that holds all matrices of the spec, or its part of them.
Result<std::vector<Matrix>> TensorSource::stacked(const TensorSpec& spec, const TensorView& t) {
  const Shape& s = spec.shape;
  const int n = s.n_dims == 3 ? static_cast<int>(s.dim[0]) : 1;
  const int n_rows = static_cast<int>(s.dim[s.n_dims - 2]);
  const int n_cols = static_cast<int>(s.n_cols());
  const bool folder = hparams_.hf_rows;
  // Blocks of codes stand along the input in every layout.
  const bool transpose = folder && spec.fix == Fix::kTranspose && t.format->block_len == 1;
  const int64_t n_stored = int64_t{n_rows} * (folder ? spec.n_parts : 1);
  Shape expected = s;
  expected.dim[s.n_dims - 2] = transpose ? n_cols : n_stored;
  expected.dim[s.n_dims - 1] = transpose ? n_stored : n_cols;
  NIBBLE_CHECK(check_shape(t, expected));
  if (transpose && t.decoder)
    return unsupported("tensor '{}': {} that is stored by columns", t.name, t.format->name);
  const int step = folder && spec.interleaved ? spec.n_parts : 1;
  const int first = !folder ? 0 : spec.interleaved ? spec.part : spec.part * n_rows;
  std::vector<Matrix> out;
  for (int i = 0; i < n; ++i) {
    Matrix m = view(t, i * (transpose ? n_cols : n_stored), n_rows);
    if (transpose) {
      decoders_.push_back(std::make_unique<ColumnDecoder>(*t.format, m.data, n_cols, n_stored));
    } else if (step != 1 && !t.decoder) {
      decoders_.push_back(std::make_unique<PlainDecoder>(*t.format, m.data, n_cols));
    }
    if (transpose || (step != 1 && !t.decoder)) m.decoder = decoders_.back().get();
    m.n_cols = n_cols;
    m.row_step = step;
    if (m.decoder)
      m.first_row += first;
    else
      m.data += first * t.row_bytes();
    out.push_back(m);
  }
  return out;
}

Result<std::vector<Matrix>> TensorSource::matrices(const TensorSpec& spec) {
  NIBBLE_TRY(const auto found, find(spec));
  if (found.empty()) {
    if (!spec.required) return std::vector<Matrix>();
    return corrupt("tensor '{}' is missing", hparams_.hf_rows ? spec.hf_name : spec.gguf_name);
  }
  const bool kv_b = spec.fix == Fix::kKeyPart || spec.fix == Fix::kValuePart;
  if (kv_b && (hparams_.hf_rows || found[0]->name.find("attn_kv_b") != std::string_view::npos))
    return kv_b_parts(spec, *found[0]);
  if (found.size() == 1) return stacked(spec, *found[0]);
  TensorSpec one = spec;
  one.shape = Shape{2, {spec.shape.dim[1], spec.shape.dim[2]}};
  std::vector<Matrix> out;
  for (const TensorView* t : found) {
    NIBBLE_TRY(const auto m, stacked(one, *t));
    out.push_back(m[0]);
  }
  return out;
}

Result<const float*> TensorSource::vector(const TensorSpec& spec) {
  NIBBLE_TRY(const auto found, find(spec));
  if (found.empty()) {
    if (!spec.required) return nullptr;
    return corrupt("tensor '{}' is missing", hparams_.hf_rows ? spec.hf_name : spec.gguf_name);
  }
  const int64_t n = spec.shape.n_elements();
  auto* out = reinterpret_cast<float*>(own(sizeof(float) * n));
  const int64_t each = n / static_cast<int64_t>(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const TensorView& t = *found[i];
    const int64_t n_parts = hparams_.hf_rows ? spec.n_parts : 1;
    if (t.shape.n_elements() != each * n_parts || t.shape.n_cols() % t.format->block_len != 0)
      return corrupt("tensor '{}': shape {}, expected {}", t.name, to_string(t.shape),
                     to_string(spec.shape));
    std::vector<float> whole(each * n_parts);
    decode_rows(t, 0, t.shape.n_rows(), whole.data());
    const int64_t rows = spec.shape.n_cols(), step = spec.interleaved ? n_parts : 1;
    for (int64_t k = 0; k < each; ++k) {
      const int64_t row = k / rows, col = k % rows;
      const int64_t at = n_parts == 1       ? k
                         : spec.interleaved ? row * rows * n_parts + col * step + spec.part
                                            : row * rows * n_parts + spec.part * rows + col;
      out[each * i + k] = whole[at];
    }
  }
  if (hparams_.hf_rows && spec.fix == Fix::kPlusOne)
    for (int64_t k = 0; k < n; ++k) out[k] += 1.0f;
  return out;
}

}  // namespace nibble
