#include "formats/encodings.h"

#include <algorithm>

#include "core/base/printable.h"
#include "formats/encodings/scheme.h"
#include "formats/row_decoders.h"

namespace nibble {
namespace {

const Scheme* find_scheme(Encoding::Kind kind) {
  for (const Scheme* s :
       {&kScaledScheme, &kRowPackedScheme, &kGptqScheme, &kAwqScheme, &kMxfp4Scheme})
    if (s->kind == kind) return s;
  return nullptr;
}

bool belongs_to_another(const Assembly& assembly, const Scheme& scheme, std::string_view name) {
  return std::ranges::any_of(scheme.parts, [&](const PartName& part) {
    if (!name.ends_with(part.suffix)) return false;
    std::string whole(name.substr(0, name.size() - part.suffix.size()));
    return assembly.find(whole += part.of) != nullptr;
  });
}

}  // namespace

Assembly::Assembly(const std::vector<RawTensor>& raw, const Encoding& encoding)
    : encoding_(encoding) {
  for (const RawTensor& t : raw) by_name_.emplace(t.name, &t);
}

const RawTensor* Assembly::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

Result<const RawTensor*> Assembly::need(const std::string& name) const {
  const RawTensor* t = find(name);
  if (!t) return corrupt("tensor {} is missing", in_quotes(name));
  return t;
}

void Assembly::add_plain(const RawTensor& t) {
  TensorView view{t.name, t.type->format, t.shape, t.bytes};
  if (!t.type->has_kernels()) {
    out_.decoders.push_back(
        std::make_unique<ElementDecoder>(*t.type, t.bytes.data(), t.shape.n_cols()));
    view.decoder = out_.decoders.back().get();
  }
  out_.views.push_back(view);
}

void Assembly::add(std::string name, const quant::Format& format, const Shape& shape,
                   std::span<const std::byte> codes, std::unique_ptr<RowDecoder> decoder) {
  out_.decoders.push_back(std::move(decoder));
  out_.views.push_back({out_.names.emplace_back(std::move(name)), &format, shape, codes,
                        out_.decoders.back().get()});
}

std::unexpected<Error> misshapen(const RawTensor& t, std::string_view expected) {
  return corrupt("tensor {}: {} {}, expected {}", in_quotes(t.name), t.type->name,
                 to_string(t.shape), expected);
}

Result<void> check_matrix(const RawTensor& t, std::string_view type, int64_t n_rows,
                          int64_t n_cols) {
  const Shape expected = matrix_shape(n_rows, n_cols);
  if (t.type->name != type || t.shape != expected)
    return misshapen(t, fmt::format("{} {}", type, to_string(expected)));
  return {};
}

Result<void> check_scales(const RawTensor& t) {
  if (!t.type->has_kernels()) return misshapen(t, "a floating-point type");
  return {};
}

Shape matrix_shape(int64_t n_rows, int64_t n_cols) {
  Shape s;
  s.n_dims = 2;
  s.dim = {n_rows, n_cols};
  return s;
}

Result<LogicalTensors> make_logical(const std::vector<RawTensor>& raw, const Encoding& encoding) {
  Assembly assembly(raw, encoding);
  const Scheme* scheme = find_scheme(encoding.kind);
  for (const RawTensor& t : raw) {
    if (scheme && belongs_to_another(assembly, *scheme, t.name)) continue;
    if (scheme && t.name.ends_with(scheme->codes))
      NIBBLE_CHECK(scheme->add(assembly, t));
    else
      assembly.add_plain(t);
  }
  return std::move(assembly).take();
}

}  // namespace nibble
