// FP8 and int8 weights with scales beside them, X.weight and X.weight_scale_inv or X.weight_scale:
// for everything, a row, or a block of rows and columns. As DeepSeek V3, Qwen 3, modelopt and
// compressed-tensors store them.
#include <algorithm>

#include "core/base/printable.h"
#include "formats/encodings/scheme.h"

namespace nibble {
namespace {

// Codes [n_matrices * n_rows, n_cols] with one scale for each block of block_rows x block_cols; the
// last block of a row or column of blocks may be smaller.
struct ScaledLayout {
  const StoredType* type = nullptr;
  const std::byte* codes = nullptr;
  int64_t n_rows = 0, n_cols = 0;  // of one matrix
  const StoredType* scale_type = nullptr;
  const std::byte* scales =
      nullptr;  // [n_matrices, ceil(n_rows / block_rows), ceil(n_cols / block_cols)]
  int64_t block_rows = 1, block_cols = 1;
};
class ScaledDecoder final : public RowDecoder {
 public:
  explicit ScaledDecoder(const ScaledLayout& layout);
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  ScaledLayout l_;
  int64_t scale_rows_, scale_cols_;
};

ScaledDecoder::ScaledDecoder(const ScaledLayout& layout)
    : l_(layout),
      scale_rows_((l_.n_rows + l_.block_rows - 1) / l_.block_rows),
      scale_cols_((l_.n_cols + l_.block_cols - 1) / l_.block_cols) {}

void ScaledDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const size_t row_bytes = static_cast<size_t>(l_.n_cols) * l_.type->n_bytes();
  for (int64_t r = first; r < first + n; ++r, out += stride) {
    l_.type->decode(l_.codes + static_cast<size_t>(r) * row_bytes, l_.n_cols, out);
    const int64_t scale_row = r / l_.n_rows * scale_rows_ + r % l_.n_rows / l_.block_rows;
    for (int64_t b = 0; b < scale_cols_; ++b) {
      const auto at = static_cast<size_t>(scale_row * scale_cols_ + b) * l_.scale_type->n_bytes();
      const float scale = l_.scale_type->value(l_.scales + at);
      const int64_t end = std::min(l_.n_cols, (b + 1) * l_.block_cols);
      for (int64_t c = b * l_.block_cols; c < end; ++c) out[c] *= scale;
    }
  }
}

// Tells from the scales' shape what each is for: everything, a row, or a block of the configured
// size.
Result<void> fit_scales(const Encoding& encoding, const RawTensor& t, const RawTensor& scale,
                        ScaledLayout& l) {
  if (!scale.type->has_kernels() && scale.type->name != "F64" && scale.type->name != "F8_E8M0")
    return misshapen(scale, "a floating-point type");
  const int64_t n = scale.shape.n_elements(), n_rows = t.shape.n_rows();
  const auto blocks = [](int64_t size, int64_t block) { return (size + block - 1) / block; };
  if (l.n_rows < 1 || l.n_cols < 1) return misshapen(t, "at least one row and column");
  const int64_t n_matrices = n_rows / l.n_rows;
  if (n == 1) {
    l.n_rows = n_rows;
    l.block_rows = n_rows;
    l.block_cols = l.n_cols;
  } else if (encoding.block_rows && scale.shape.n_cols() == blocks(l.n_cols, encoding.block_cols) &&
             n == n_matrices * blocks(l.n_rows, encoding.block_rows) * scale.shape.n_cols()) {
    l.block_rows = encoding.block_rows;
    l.block_cols = encoding.block_cols;
  } else if (n == n_rows && !encoding.block_rows) {
    l.block_rows = 1;
    l.block_cols = l.n_cols;
  } else {
    return misshapen(
        scale, encoding.block_rows
                   ? fmt::format("one scale for each block of {} x {} of {}", encoding.block_rows,
                                 encoding.block_cols, to_string(t.shape))
                   : fmt::format("one scale, or one for each row of {}", to_string(t.shape)));
  }
  return {};
}

bool has_scales(const RawTensor& t) { return t.type->is_float8() || t.type->name == "I8"; }

Result<void> add_scaled(Assembly& assembly, const RawTensor& t) {
  if (!has_scales(t)) {
    assembly.add_plain(t);
    return {};
  }
  const RawTensor* scale = assembly.find(t.name + "_scale_inv");
  if (!scale) scale = assembly.find(t.name + "_scale");
  if (!scale)
    return corrupt("tensor {}: its scales, {}_scale_inv or _scale, are missing", in_quotes(t.name),
                   printable(t.name));
  if (assembly.find(t.name + "_zero_point"))
    return unsupported("tensor {}: zero points are not read", in_quotes(t.name));
  ScaledLayout l{.type = t.type,
                 .codes = t.bytes.data(),
                 .n_cols = t.shape.n_cols(),
                 .scale_type = scale->type,
                 .scales = scale->bytes.data()};
  l.n_rows = t.shape.n_dims > 1 ? t.shape.dim[static_cast<size_t>(t.shape.n_dims - 2)] : 1;
  NIBBLE_CHECK(fit_scales(assembly.encoding(), t, *scale, l));
  assembly.add(t.name, *t.type->format, t.shape, t.bytes, std::make_unique<ScaledDecoder>(l));
  return {};
}

constexpr PartName kParts[] = {{"_scale_inv", ""},
                               {"_scale", ""},
                               {".input_scale", ".weight"},
                               {".activation_scale", ".weight"},
                               {".input_scale_ub", ".weight"}};

}  // namespace

const Scheme kScaledScheme{Encoding::Kind::kScaled, "", kParts, add_scaled};

}  // namespace nibble
