#include "formats/encodings.h"

#include <algorithm>
#include <map>

#include "core/base/byte_cursor.h"
#include "core/base/printable.h"
#include "formats/row_decoders.h"

namespace nibble {
namespace {

using Kind = Encoding::Kind;

constexpr uint32_t kNoGgufType = 0xffffffff;
constexpr quant::Format kGptq2{"gptq2", kNoGgufType, 4, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq3{"gptq3", kNoGgufType, 32, 12, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq4{"gptq4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kGptq8{"gptq8", kNoGgufType, 1, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kPacked4{"int4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kPacked8{"int8", kNoGgufType, 1, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kAwq4{"awq4", kNoGgufType, 2, 1, 0, quant::ActivationKind::kF32};
constexpr quant::Format kMxfp4{"mxfp4", kNoGgufType, 32, 16, 0, quant::ActivationKind::kF32};

constexpr std::string_view kRowPackedParts[] = {".weight_scale", ".weight_zero_point",
                                                ".weight_g_idx", ".weight_shape"};

const quant::Format& gptq_format(int bits) {
  return bits == 2 ? kGptq2 : bits == 3 ? kGptq3 : bits == 4 ? kGptq4 : kGptq8;
}

Shape matrix_shape(int64_t n_rows, int64_t n_cols) {
  Shape s;
  s.n_dims = 2;
  s.dim = {n_rows, n_cols};
  return s;
}

class Assembler {
 public:
  Assembler(const std::vector<RawTensor>& raw, const Encoding& encoding)
      : raw_(raw), encoding_(encoding) {
    for (const RawTensor& t : raw) by_name_.emplace(t.name, &t);
  }

  Result<LogicalTensors> make() {
    for (const RawTensor& t : raw_) {
      if (belongs_to_another(t.name)) continue;
      NIBBLE_CHECK(add(t));
    }
    return std::move(out_);
  }

 private:
  const RawTensor* find(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }
  Result<const RawTensor*> need(const std::string& name) const {
    const RawTensor* t = find(name);
    if (!t) return corrupt("tensor {} is missing", in_quotes(name));
    return t;
  }
  // Whether name is STEM + suffix, and a tensor STEM + other is there.
  bool is_part(std::string_view name, std::string_view suffix, std::string_view other) const {
    if (!name.ends_with(suffix)) return false;
    return find(std::string(name.substr(0, name.size() - suffix.size())) + std::string(other)) !=
           nullptr;
  }
  bool belongs_to_another(std::string_view name) const {
    switch (encoding_.kind) {
      case Kind::kGptq:
      case Kind::kAwq:
        return is_part(name, ".qzeros", ".qweight") || is_part(name, ".scales", ".qweight") ||
               is_part(name, ".g_idx", ".qweight");
      case Kind::kMxfp4:
        return is_part(name, "_scales", "_blocks");
      case Kind::kScaled:
        return is_part(name, "_scale_inv", "") || is_part(name, "_scale", "") ||
               is_part(name, ".input_scale", ".weight") ||
               is_part(name, ".activation_scale", ".weight") ||
               is_part(name, ".input_scale_ub", ".weight");
      case Kind::kRowPacked:
        return std::ranges::any_of(kRowPackedParts, [&](std::string_view part) {
          return is_part(name, part, ".weight_packed");
        });
      case Kind::kPlain:
        return false;
    }
    return false;
  }

  Result<void> add(const RawTensor& t) {
    const std::string_view name = t.name;
    const bool packed = encoding_.kind == Kind::kGptq || encoding_.kind == Kind::kAwq;
    if (packed && name.ends_with(".qweight")) return add_packed(t);
    if (encoding_.kind == Kind::kRowPacked && name.ends_with(".weight_packed"))
      return add_row_packed(t);
    if (encoding_.kind == Kind::kMxfp4 && name.ends_with("_blocks")) return add_mxfp4(t);
    if (encoding_.kind == Kind::kScaled && (t.type->is_float8() || t.type->name == "I8"))
      return add_scaled(t);
    TensorView view{t.name, t.type->format, t.shape, t.bytes};
    if (!t.type->has_kernels())
      view.decoder =
          keep(std::make_unique<ElementDecoder>(*t.type, t.bytes.data(), t.shape.n_cols()));
    out_.views.push_back(view);
    return {};
  }
  const RowDecoder* keep(std::unique_ptr<RowDecoder> decoder) {
    out_.decoders.push_back(std::move(decoder));
    return out_.decoders.back().get();
  }

  std::unexpected<Error> misshapen(const RawTensor& t, std::string_view expected) const {
    return corrupt("tensor {}: {} {}, expected {}", in_quotes(t.name), t.type->name,
                   to_string(t.shape), expected);
  }

  Result<void> add_scaled(const RawTensor& t) {
    const RawTensor* scale = find(t.name + "_scale_inv");
    if (!scale) scale = find(t.name + "_scale");
    if (!scale)
      return corrupt("tensor {}: its scales, {}_scale_inv or _scale, are missing",
                     in_quotes(t.name), printable(t.name));
    if (find(t.name + "_zero_point"))
      return unsupported("tensor {}: zero points are not read", in_quotes(t.name));
    ScaledLayout l{t.type,      t.bytes.data(),      0, t.shape.n_cols(),
                   scale->type, scale->bytes.data(), 0, 0};
    l.n_rows = t.shape.n_dims > 1 ? t.shape.dim[static_cast<size_t>(t.shape.n_dims - 2)] : 1;
    NIBBLE_CHECK(fit_scales(t, *scale, l));
    TensorView view{t.name, t.type->format, t.shape, t.bytes};
    view.decoder = keep(std::make_unique<ScaledDecoder>(l));
    out_.views.push_back(view);
    return {};
  }
  // Tells from the scales' shape what each is for: everything, a row, or a block of the configured
  // size.
  Result<void> fit_scales(const RawTensor& t, const RawTensor& scale, ScaledLayout& l) const {
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
    } else if (encoding_.block_rows &&
               scale.shape.n_cols() == blocks(l.n_cols, encoding_.block_cols) &&
               n == n_matrices * blocks(l.n_rows, encoding_.block_rows) * scale.shape.n_cols()) {
      l.block_rows = encoding_.block_rows;
      l.block_cols = encoding_.block_cols;
    } else if (n == n_rows && !encoding_.block_rows) {
      l.block_rows = 1;
      l.block_cols = l.n_cols;
    } else {
      return misshapen(
          scale, encoding_.block_rows
                     ? fmt::format("one scale for each block of {} x {} of {}",
                                   encoding_.block_rows, encoding_.block_cols, to_string(t.shape))
                     : fmt::format("one scale, or one for each row of {}", to_string(t.shape)));
    }
    return {};
  }

  Result<void> check(const RawTensor& t, std::string_view type, int64_t n_rows,
                     int64_t n_cols) const {
    const Shape expected = matrix_shape(n_rows, n_cols);
    if (t.type->name != type || t.shape != expected)
      return misshapen(t, fmt::format("{} {}", type, to_string(expected)));
    return {};
  }

  Result<void> add_packed(const RawTensor& codes) {
    const std::string stem =
        codes.name.substr(0, codes.name.size() - std::string_view("qweight").size());
    NIBBLE_TRY(const RawTensor* const zeros, need(stem + "qzeros"));
    NIBBLE_TRY(const RawTensor* const scales, need(stem + "scales"));
    const bool gptq = encoding_.kind == Kind::kGptq;
    // The least number of codes that fill whole words, and how many words.
    const int64_t n_codes = encoding_.bits == 3 ? 32 : 32 / encoding_.bits;
    const int64_t n_words = n_codes * encoding_.bits / 32;
    if (codes.type->name != "I32" || codes.shape.n_dims != 2)
      return misshapen(codes, "an I32 matrix");
    PackedLayout l{.bits = encoding_.bits,
                   .codes = codes.bytes.data(),
                   .zeros = zeros->bytes.data(),
                   .scale_type = scales->type,
                   .scales = scales->bytes.data()};
    l.n_rows = codes.shape.dim[1] * (gptq ? 1 : n_codes);
    l.n_cols = gptq ? codes.shape.dim[0] / n_words * n_codes : codes.shape.dim[0];
    l.group_size = encoding_.group_size > 0 ? encoding_.group_size : l.n_cols;
    l.zero_offset = gptq ? encoding_.gptq_zero_offset : 0;
    if (l.n_rows < 1 || l.n_cols < 1 || l.n_rows % n_codes != 0 ||
        codes.shape.dim[0] % n_words != 0)
      return misshapen(codes, "whole words of rows and columns");
    const int64_t n_groups = (l.n_cols + l.group_size - 1) / l.group_size;
    if (!scales->type->has_kernels()) return misshapen(*scales, "a floating-point type");
    NIBBLE_CHECK(check(*scales, scales->type->name, n_groups, l.n_rows));
    NIBBLE_CHECK(check(*zeros, "I32", n_groups, l.n_rows / n_codes * n_words));
    if (const RawTensor* groups = gptq ? find(stem + "g_idx") : nullptr) {
      NIBBLE_CHECK(check_groups(*groups, l.n_cols, n_groups));
      l.group_of = groups->bytes.data();
    }
    TensorView view{out_.names.emplace_back(stem + "weight"), gptq ? &gptq_format(l.bits) : &kAwq4,
                    matrix_shape(l.n_rows, l.n_cols), codes.bytes};
    if (gptq)
      view.decoder = keep(std::make_unique<GptqDecoder>(l));
    else
      view.decoder = keep(std::make_unique<AwqDecoder>(l));
    out_.views.push_back(view);
    return {};
  }
  Result<void> check_groups(const RawTensor& t, int64_t n_cols, int64_t n_groups) const {
    if (t.type->name != "I32" || t.shape.n_elements() != n_cols)
      return misshapen(t, fmt::format("I32 [{}]", n_cols));
    for (int64_t i = 0; i < n_cols; ++i) {
      const auto group = load_le<int32_t>(t.bytes.data() + 4 * i);
      if (group < 0 || group >= n_groups)
        return corrupt("tensor {}: element {} is {}, expected 0..{}", in_quotes(t.name), i, group,
                       n_groups - 1);
    }
    return {};
  }

  Result<void> add_row_packed(const RawTensor& codes) {
    const std::string stem =
        codes.name.substr(0, codes.name.size() - std::string_view("_packed").size());
    NIBBLE_TRY(const RawTensor* const scales, need(stem + "_scale"));
    NIBBLE_TRY(const RawTensor* const sizes, need(stem + "_shape"));
    const int64_t per_word = 32 / encoding_.bits;
    if (codes.type->name != "I32" || codes.shape.n_dims != 2)
      return misshapen(codes, "an I32 matrix");
    RowPackedLayout l{.bits = encoding_.bits,
                      .n_rows = codes.shape.dim[0],
                      .codes = codes.bytes.data(),
                      .scale_type = scales->type,
                      .scales = scales->bytes.data()};
    NIBBLE_TRY(l.n_cols, columns(*sizes, l.n_rows));
    if (l.n_rows < 1 || l.n_cols != codes.shape.dim[1] * per_word)
      return misshapen(codes, fmt::format("whole words of [{}, {}]", l.n_rows, l.n_cols));
    l.group_size = encoding_.group_size > 0 ? encoding_.group_size : l.n_cols;
    l.n_groups = (l.n_cols + l.group_size - 1) / l.group_size;
    if (!scales->type->has_kernels()) return misshapen(*scales, "a floating-point type");
    NIBBLE_CHECK(check(*scales, scales->type->name, l.n_rows, l.n_groups));
    if (const RawTensor* zeros = find(stem + "_zero_point")) {
      NIBBLE_CHECK(check(*zeros, "I32", (l.n_rows + per_word - 1) / per_word, l.n_groups));
      l.zeros = zeros->bytes.data();
    }
    if (const RawTensor* groups = find(stem + "_g_idx")) {
      NIBBLE_CHECK(check_groups(*groups, l.n_cols, l.n_groups));
      l.group_of = groups->bytes.data();
    }
    TensorView view{out_.names.emplace_back(stem), l.bits == 4 ? &kPacked4 : &kPacked8,
                    matrix_shape(l.n_rows, l.n_cols), codes.bytes};
    view.decoder = keep(std::make_unique<RowPackedDecoder>(l));
    out_.views.push_back(view);
    return {};
  }
  // Of X.weight_shape, two integers: rows, which are known, and columns.
  Result<int64_t> columns(const RawTensor& t, int64_t n_rows) const {
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

  Result<void> add_mxfp4(const RawTensor& blocks) {
    const std::string stem =
        blocks.name.substr(0, blocks.name.size() - std::string_view("_blocks").size());
    NIBBLE_TRY(const RawTensor* const scales, need(stem + "_scales"));
    const Shape& b = blocks.shape;
    if (blocks.type->name != "U8" || b.n_dims < 3 || b.n_cols() != 16)
      return misshapen(blocks, "U8 [.., n_blocks, 16]");
    Shape shape = b;
    shape.dim[static_cast<size_t>(--shape.n_dims)] = 0;
    if (scales->type->name != "U8" || scales->shape.n_elements() != shape.n_elements() ||
        scales->shape.n_cols() != shape.n_cols())
      return misshapen(*scales, fmt::format("U8 {}", to_string(shape)));
    shape.dim[static_cast<size_t>(shape.n_dims - 1)] *= 32;
    TensorView view{out_.names.emplace_back(stem), &kMxfp4, shape, blocks.bytes};
    view.decoder = keep(
        std::make_unique<Mxfp4Decoder>(blocks.bytes.data(), scales->bytes.data(), shape.n_cols()));
    out_.views.push_back(view);
    return {};
  }

  const std::vector<RawTensor>& raw_;
  const Encoding& encoding_;
  std::map<std::string_view, const RawTensor*, std::less<>> by_name_;
  LogicalTensors out_;
};

}  // namespace

Result<LogicalTensors> make_logical(const std::vector<RawTensor>& raw, const Encoding& encoding) {
  return Assembler(raw, encoding).make();
}

}  // namespace nibble
