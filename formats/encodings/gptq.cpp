// AutoGPTQ and AutoAWQ: a matrix [n_rows, n_cols] stored transposed, as words X.qweight with
// X.qzeros and X.scales for each group of columns, and GPTQ's X.g_idx where columns are reordered.
#include "formats/encodings/packed_words.h"

namespace nibble {
namespace {

constexpr std::string_view kCodes = ".qweight";
constexpr quant::Format kGptq2{"gptq2", kNoGgufType, 4, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq3{"gptq3", kNoGgufType, 32, 12, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq4{"gptq4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq8{"gptq8", kNoGgufType, 1, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kAwq4{"awq4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};

const quant::Format& gptq_format(int bits) {
  return bits == 2 ? kGptq2 : bits == 3 ? kGptq3 : bits == 4 ? kGptq4 : kGptq8;
}

struct Layout {
  int bits = 4;
  int64_t n_rows = 0, n_cols = 0;
  const std::byte* codes = nullptr;
  const std::byte* zeros = nullptr;  // words [n_groups, n_rows * bits / 32]
  const StoredType* scale_type = nullptr;
  const std::byte* scales = nullptr;  // [n_groups, n_rows]
  ColumnGroups group_of = {};
  int zero_offset = 0;  // added to what zeros holds

  Affine affine(int64_t group, int64_t row, uint32_t zero) const {
    return {scale_at(*scale_type, scales, group * n_rows + row),
            static_cast<int>(zero) + zero_offset};
  }
};

// Code i of a stream of codes, lowest bits first, in words that stand `stride` apart; a code of
// three bits may stand in two words.
uint32_t stream_code(const std::byte* words, int64_t stride, int bits, int64_t i) {
  const int64_t bit = i * bits, at = bit / 32 * stride;
  const int shift = static_cast<int>(bit % 32);
  uint32_t code = packed_word(words, at) >> shift;
  if (shift + bits > 32) code |= packed_word(words, at + stride) << (32 - shift);
  return code & ((1u << bits) - 1);
}

// Words [n_cols * bits / 32, n_rows], codes along the columns.
class GptqDecoder final : public RowDecoder {
 public:
  explicit GptqDecoder(const Layout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    const int64_t zero_words = l_.n_rows * l_.bits / 32;  // of a group
    for (int64_t row = first; row < first + n; ++row, out += stride) {
      int64_t group = -1;
      Affine affine;
      for (int64_t c = 0; c < l_.n_cols; ++c) {
        if (const int64_t g = l_.group_of(c); g != group) {
          group = g;
          const std::byte* zeros = l_.zeros + 4 * g * zero_words;
          affine = l_.affine(g, row, stream_code(zeros, 1, l_.bits, row));
        }
        out[c] = affine(stream_code(l_.codes + 4 * row, l_.n_rows, l_.bits, c));
      }
    }
  }

 private:
  Layout l_;
};

// AutoAWQ's GEMM layout: words [n_cols, n_rows / 8], eight rows in a word in the order 0 2 4 6 1 3
// 5 7.
class AwqDecoder final : public RowDecoder {
 public:
  explicit AwqDecoder(const Layout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    static constexpr int kNibble[] = {0, 4, 1, 5, 2, 6, 3, 7};  // of row 8 c + i in word c
    const int64_t words = l_.n_rows / 8;                        // of a column
    for (int64_t row = first; row < first + n; ++row, out += stride) {
      const int shift = 4 * kNibble[row % 8];
      const auto code = [&](const std::byte* matrix, int64_t column) {
        return packed_word(matrix, column * words + row / 8) >> shift & 15;
      };
      int64_t group = -1;
      Affine affine;
      for (int64_t c = 0; c < l_.n_cols; ++c) {
        if (const int64_t g = l_.group_of(c); g != group)
          affine = l_.affine(group = g, row, code(l_.zeros, g));
        out[c] = affine(code(l_.codes, c));
      }
    }
  }

 private:
  Layout l_;
};

// The parts of tensor STEM.weight [n_rows, n_cols], checked.
Result<Layout> read_parts(const Assembly& assembly, const RawTensor& codes, const std::string& stem,
                          int64_t n_rows, int64_t n_cols) {
  const Encoding& e = assembly.encoding();
  NIBBLE_TRY(const RawTensor* const zeros, assembly.need(stem + ".qzeros"));
  NIBBLE_TRY(const RawTensor* const scales, assembly.need(stem + ".scales"));
  Layout l{.bits = e.bits,
           .n_rows = n_rows,
           .n_cols = n_cols,
           .codes = codes.bytes.data(),
           .zeros = zeros->bytes.data(),
           .scale_type = scales->type,
           .scales = scales->bytes.data()};
  const bool gptq = e.kind == Encoding::Kind::kGptq;
  NIBBLE_TRY(l.group_of, column_groups(e, gptq ? assembly.find(stem + ".g_idx") : nullptr, n_cols));
  l.zero_offset = gptq ? e.gptq_zero_offset : 0;
  const int64_t n_groups = (n_cols + l.group_of.size - 1) / l.group_of.size;
  NIBBLE_CHECK(check_scales(*scales));
  NIBBLE_CHECK(check_matrix(*scales, scales->type->name, n_groups, n_rows));
  NIBBLE_CHECK(check_matrix(*zeros, "I32", n_groups, n_rows * e.bits / 32));
  return l;
}

// codes: X.qweight, its words along the columns (GPTQ) or along the rows (AWQ) of the matrix.
Result<void> add_packed(Assembly& assembly, const RawTensor& codes) {
  const int bits = assembly.encoding().bits;
  const bool gptq = assembly.encoding().kind == Encoding::Kind::kGptq;
  if (codes.type->name != "I32" || codes.shape.n_dims != 2)
    return misshapen(codes, "an I32 matrix");
  // The least number of codes that fill whole words, and how many words.
  const int64_t n_codes = bits == 3 ? 32 : 32 / bits, n_words = n_codes * bits / 32;
  const int64_t n_rows = codes.shape.dim[1] * (gptq ? 1 : n_codes);
  const int64_t n_cols = gptq ? codes.shape.dim[0] / n_words * n_codes : codes.shape.dim[0];
  if (n_rows < 1 || n_cols < 1 || n_rows % n_codes != 0 || codes.shape.dim[0] % n_words != 0)
    return misshapen(codes, "whole words of rows and columns");
  const std::string stem = codes.name.substr(0, codes.name.size() - kCodes.size());
  NIBBLE_TRY(const Layout l, read_parts(assembly, codes, stem, n_rows, n_cols));
  std::unique_ptr<RowDecoder> decoder;
  if (gptq)
    decoder = std::make_unique<GptqDecoder>(l);
  else
    decoder = std::make_unique<AwqDecoder>(l);
  assembly.add(stem + ".weight", gptq ? gptq_format(bits) : kAwq4, matrix_shape(n_rows, n_cols),
               codes.bytes, std::move(decoder));
  return {};
}

constexpr PartName kParts[] = {{".qzeros", kCodes}, {".scales", kCodes}, {".g_idx", kCodes}};

}  // namespace

const Scheme kGptqScheme{Encoding::Kind::kGptq, kCodes, kParts, add_packed};
const Scheme kAwqScheme{Encoding::Kind::kAwq, kCodes, kParts, add_packed};

}  // namespace nibble
