#include "core/pipeline/convert_tensors.h"

#include <algorithm>
#include <set>

#include "core/models/rope_scaling.h"
#include "core/pipeline/stored_rows.h"
#include "core/pipeline/tensor_roles.h"

namespace nibble {
namespace {

// The precision that is kept: what all parts are stored in, where GGUF has it.
const quant::Format* kept_format(const TensorSpec& spec, std::span<const Matrix> parts) {
  const quant::Format* f32 = quant::find_format("f32");
  const std::string_view stored = parts[0].format->name;
  constexpr std::string_view kKept[] = {"f16", "bf16", "mxfp4"};
  const bool same =
      std::ranges::all_of(parts, [&](const Matrix& m) { return m.format->name == stored; });
  const bool keeps = same && !is_float_role(spec) && std::ranges::count(kKept, stored) > 0;
  return keeps ? quant::find_format(stored) : f32;
}

class Builder {
 public:
  Builder(const WeightFile& file, const Hparams& h) : h_(h), source_(file, h, out_.owned) {}

  Result<ConvertedTensors> run(const std::vector<TensorSpec>& table) {
    for (const TensorSpec& spec : table) {
      if (made_.contains(spec.gguf_name)) continue;  // an alternative was there
      NIBBLE_CHECK(add(spec));
    }
    return std::move(out_);
  }

 private:
  Result<void> add(const TensorSpec& spec) {
    if (spec.hf_name.empty()) return add_computed(spec);
    NIBBLE_TRY(const auto found, source_.find(spec));
    if (found.empty() && !spec.required) return {};
    if (spec.fix == Fix::kKeyPart && !found.empty()) return add_key_part(spec, *found[0]);
    return is_vector(spec) ? add_vector(spec) : add_matrices(spec);
  }

  TensorView& push(const TensorSpec& spec, const quant::Format* format) {
    made_.insert(spec.gguf_name);
    return out_.views.emplace_back(
        TensorView{out_.names.emplace_back(spec.gguf_name), format, spec.shape, {}});
  }
  void push_floats(const TensorSpec& spec, const float* values) {
    push(spec, quant::find_format("f32")).bytes =
        std::as_bytes(std::span(values, static_cast<size_t>(spec.shape.n_elements())));
  }
  float* own_floats(size_t n) {
    auto& bytes = out_.owned.bytes.emplace_back(new std::byte[n * sizeof(float)]);
    return reinterpret_cast<float*>(bytes.get());
  }
  void push_rows(const TensorSpec& spec, const quant::Format* format, const std::byte* stored,
                 std::unique_ptr<RowDecoder> rows) {
    TensorView& view = push(spec, format);
    view.decoder = out_.rows.emplace_back(std::move(rows)).get();
    view.bytes = {stored, size_t{0}};  // none, but not null: the tensor is there
  }

  // Factors of the rotation that folders keep as numbers of their configuration.
  Result<void> add_computed(const TensorSpec& spec) {
    const RopeHparams& r = h_.rope;
    std::vector<double> factors;
    if (spec.gguf_name == "rope_freqs.weight" && r.scaling == RopeScaling::kLlama3)
      factors = llama3_factors(r);
    if (spec.gguf_name == "rope_factors_long.weight") factors = r.long_factors;
    if (spec.gguf_name == "rope_factors_short.weight") factors = r.factors;
    if (factors.empty()) return {};
    float* values = own_floats(factors.size());
    std::ranges::transform(factors, values, [](double x) { return static_cast<float>(x); });
    push_floats(spec, values);
    return {};
  }

  Result<void> add_vector(const TensorSpec& spec) {
    NIBBLE_TRY(const float* stored, source_.vector(spec));
    const RowOrder order(spec, h_);
    const auto n = static_cast<size_t>(spec.shape.n_elements());
    float* values = own_floats(n);
    for (size_t i = 0; i < n; ++i) values[i] = stored[order.stored(static_cast<int64_t>(i))];
    push_floats(spec, values);
    return {};
  }

  Result<void> add_key_part(const TensorSpec& spec, const TensorView& kv_b) {
    const MlaHparams& m = h_.mla;
    const int64_t n_rows = int64_t{h_.n_head} * (m.d_nope + m.d_v);
    if (kv_b.shape != Shape{2, {n_rows, m.kv_lora}})
      return corrupt("tensor '{}': shape {}, expected {}", kv_b.name, to_string(kv_b.shape),
                     to_string(Shape{2, {n_rows, m.kv_lora}}));
    const Matrix whole{kv_b.format, kv_b.bytes.data(), static_cast<int>(n_rows), m.kv_lora};
    push_rows(spec, kept_format(spec, {&whole, 1}), whole.data,
              std::make_unique<KeyPartRows>(kv_b, m.d_nope, m.d_v));
    return {};
  }

  Result<void> add_matrices(const TensorSpec& spec) {
    NIBBLE_TRY(auto parts, source_.matrices(spec));
    const quant::Format* format = kept_format(spec, parts);
    const RowOrder order(spec, h_);
    const bool whole = parts.size() == 1 && order.is_same() && !parts[0].decoder &&
                       parts[0].format->name == format->name;
    if (whole) {
      const Matrix& m = parts[0];
      push(spec, format).bytes = {m.data, m.row_bytes() * static_cast<size_t>(m.n_rows)};
    } else {
      const std::byte* stored = parts[0].data;
      push_rows(spec, format, stored,
                std::make_unique<OrderedRows>(std::move(parts), order, *format));
    }
    return {};
  }

  const Hparams& h_;
  ConvertedTensors out_;
  TensorSource source_;
  std::set<std::string> made_;
};

}  // namespace

Result<ConvertedTensors> ConvertedTensors::make(const WeightFile& source,
                                                const Architecture& family,
                                                const Hparams& hparams) {
  return Builder(source, hparams).run(family.tensors(hparams));
}

}  // namespace nibble
