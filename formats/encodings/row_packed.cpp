// compressed-tensors' pack-quantized: words X.weight_packed along the columns, lowest bits first,
// X.weight_scale, X.weight_zero_point and X.weight_g_idx where they are there, and X.weight_shape.
#include "formats/encodings/packed_words.h"

namespace nibble {
namespace {

constexpr std::string_view kCodes = ".weight_packed";
constexpr quant::Format kPacked4{"int4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kPacked8{"int8", kNoGgufType, 1, 1, 0, quant::ActivationKind::kF32};

struct Layout {
  int bits = 4;
  int64_t n_rows = 0, n_cols = 0, n_groups = 0;
  const std::byte* codes = nullptr;  // words [n_rows, n_cols / per_word()]
  const std::byte* zeros =
      nullptr;  // words [ceil(n_rows / per_word()), n_groups]; null: half range
  const StoredType* scale_type = nullptr;
  const std::byte* scales = nullptr;  // [n_rows, n_groups]
  ColumnGroups group_of = {};

  int per_word() const { return 32 / bits; }
  // Code i of a word, i counted modulo per_word().
  uint32_t code(uint32_t word, int64_t i) const {
    return word >> i % per_word() * bits & ((1u << bits) - 1);
  }
  Affine affine(int64_t group, int64_t row) const {
    const uint32_t zero = zeros ? code(packed_word(zeros, row / per_word() * n_groups + group), row)
                                : 1u << (bits - 1);
    return {scale_at(*scale_type, scales, row * n_groups + group), static_cast<int>(zero)};
  }
};

class RowPackedDecoder final : public RowDecoder {
 public:
  explicit RowPackedDecoder(const Layout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    const int64_t words = l_.n_cols / l_.per_word();  // of a row
    for (int64_t row = first; row < first + n; ++row, out += stride) {
      int64_t group = -1;
      Affine affine;
      for (int64_t c = 0; c < l_.n_cols; ++c) {
        if (const int64_t g = l_.group_of(c); g != group) affine = l_.affine(group = g, row);
        out[c] = affine(l_.code(packed_word(l_.codes, row * words + c / l_.per_word()), c));
      }
    }
  }

 private:
  Layout l_;
};

// Of X.weight_shape, two integers: rows, which are known, and columns.
Result<int64_t> columns(const RawTensor& t, int64_t n_rows) {
  const bool wide = t.type->name == "I64";
  if ((!wide && t.type->name != "I32") || t.shape.n_elements() != 2)
    return misshapen(t, "two integers");
  const auto at = [&](size_t i) {
    return wide ? load_le<int64_t>(t.bytes.data() + 8 * i)
                : int64_t{load_le<int32_t>(t.bytes.data() + 4 * i)};
  };
  if (at(0) != n_rows || at(1) < 1 || at(1) > INT32_MAX)
    return corrupt("tensor {}: [{}, {}], expected {} rows", in_quotes(t.name), at(0), at(1),
                   n_rows);
  return at(1);
}

// The parts of tensor `name`, checked, but for the columns' words.
Result<Layout> read_parts(const Assembly& assembly, const RawTensor& codes,
                          const std::string& name) {
  const Encoding& e = assembly.encoding();
  NIBBLE_TRY(const RawTensor* const scales, assembly.need(name + "_scale"));
  NIBBLE_TRY(const RawTensor* const sizes, assembly.need(name + "_shape"));
  Layout l{.bits = e.bits,
           .n_rows = codes.shape.dim[0],
           .codes = codes.bytes.data(),
           .scale_type = scales->type,
           .scales = scales->bytes.data()};
  NIBBLE_TRY(l.n_cols, columns(*sizes, l.n_rows));
  if (l.n_rows < 1 || l.n_cols != codes.shape.dim[1] * l.per_word())
    return misshapen(codes, fmt::format("whole words of [{}, {}]", l.n_rows, l.n_cols));
  NIBBLE_TRY(l.group_of, column_groups(e, assembly.find(name + "_g_idx"), l.n_cols));
  l.n_groups = (l.n_cols + l.group_of.size - 1) / l.group_of.size;
  NIBBLE_CHECK(check_scales(*scales));
  NIBBLE_CHECK(check_matrix(*scales, scales->type->name, l.n_rows, l.n_groups));
  if (const RawTensor* zeros = assembly.find(name + "_zero_point")) {
    const int64_t n_words = (l.n_rows + l.per_word() - 1) / l.per_word();
    NIBBLE_CHECK(check_matrix(*zeros, "I32", n_words, l.n_groups));
    l.zeros = zeros->bytes.data();
  }
  return l;
}

Result<void> add_row_packed(Assembly& assembly, const RawTensor& codes) {
  if (codes.type->name != "I32" || codes.shape.n_dims != 2)
    return misshapen(codes, "an I32 matrix");
  const std::string name =
      codes.name.substr(0, codes.name.size() - std::string_view("_packed").size());
  NIBBLE_TRY(const Layout l, read_parts(assembly, codes, name));
  assembly.add(name, l.bits == 4 ? kPacked4 : kPacked8, matrix_shape(l.n_rows, l.n_cols),
               codes.bytes, std::make_unique<RowPackedDecoder>(l));
  return {};
}

constexpr PartName kParts[] = {{".weight_scale", kCodes},
                               {".weight_zero_point", kCodes},
                               {".weight_g_idx", kCodes},
                               {".weight_shape", kCodes}};

}  // namespace

const Scheme kRowPackedScheme{Encoding::Kind::kRowPacked, kCodes, kParts, add_row_packed};

}  // namespace nibble
