// Which tensors a folder has, and of which GGUF matrices each is made. See hf_tensors.h.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/base/printable.h"
#include "core/models/row_order.h"
#include "core/pipeline/hf_tensors.h"
#include "core/pipeline/tensor_roles.h"

namespace nibble {
namespace {

constexpr int64_t kBlockWeights = 64 * 1024;

bool is_kv_b(const TensorSpec& spec) {
  return spec.fix == Fix::kKeyPart || spec.fix == Fix::kValuePart;
}

std::string numbered(std::string name, size_t i) {
  for (const char* mark : {"{e}", "{h}"})
    if (const size_t at = name.find(mark); at != name.npos) name.replace(at, 3, std::to_string(i));
  return name;
}

const StoredType* type_of(const quant::Format& format) {
  std::string name(format.name);
  std::ranges::transform(name, name.begin(), [](char c) { return std::toupper(c); });
  const StoredType* type = find_stored_type(name);
  return type && type->has_kernels() ? type : nullptr;
}

}  // namespace

class HfPlanner {
 public:
  HfPlanner(const WeightFile& gguf, const Hparams& h, const std::vector<std::string>& names)
      : names_(names) {
    out_.hparams_ = h;
    out_.owned_ = std::make_unique<OwnedParts>();
    source_.emplace(gguf, out_.hparams_, *out_.owned_);
  }

  Result<HfTensors> run(const std::vector<TensorSpec>& table, const StoredType* type) {
    for (const TensorSpec& spec : table) {
      if (spec.hf_name.empty() || done_.contains(spec.gguf_name)) continue;
      NIBBLE_TRY(auto matrices, load(spec));
      if (matrices.empty()) continue;
      done_.insert(spec.gguf_name);
      place(spec, std::move(matrices));
    }
    NIBBLE_CHECK(check_parts());
    NIBBLE_CHECK(choose_types(type));
    return std::move(out_);
  }

 private:
  // The first of the alternatives that has one of the wanted parts, else the first.
  std::string name_of(const TensorSpec& spec) const {
    std::string_view all = spec.hf_name;
    const std::string first(all.substr(0, all.find('|')));
    while (!all.empty()) {
      const std::string_view one = all.substr(0, all.find('|'));
      for (const std::string& part : names_)
        if (one.find(part) != one.npos) return std::string(one);
      all.remove_prefix(std::min(one.size() + 1, all.size()));
    }
    return first;
  }

  Result<std::vector<Matrix>> load(const TensorSpec& given) {
    TensorSpec spec = given;
    NIBBLE_TRY(const auto found, source_->find(spec));
    if (found.empty()) {
      NIBBLE_TRY(auto part, part_of_fused(spec));
      if (!part.empty()) return part;
      if (!spec.required) return std::vector<Matrix>();
    }
    return is_vector(spec) ? load_vector(spec) : source_->matrices(spec);
  }

  Result<std::vector<Matrix>> load_vector(const TensorSpec& spec) {
    NIBBLE_TRY(const float* values, source_->vector(spec));
    const auto n = static_cast<int>(spec.shape.n_cols());
    std::vector<Matrix> out;
    for (int64_t i = 0; i < spec.shape.n_rows(); ++i)
      out.push_back(
          {quant::find_format("f32"), reinterpret_cast<const std::byte*>(values + i * n), n, 1});
    return out;
  }

  // Queries, keys and values of a file that has them in one matrix, of a family whose folders do
  // not.
  Result<std::vector<Matrix>> part_of_fused(const TensorSpec& spec) {
    constexpr std::string_view kRoles[] = {".attn_q.", ".attn_k.", ".attn_v."};
    const Hparams& h = out_.hparams_;
    const int n_q = h.n_head * h.d_k, n_k = h.n_head_kv * h.d_k, n_v = h.n_head_kv * h.d_v;
    const int first[] = {0, n_q, n_q + n_k};
    for (size_t i = 0; i < 3; ++i) {
      const size_t at = spec.gguf_name.find(kRoles[i]);
      if (at == std::string::npos) continue;
      TensorSpec fused = spec;
      fused.gguf_name.replace(at, kRoles[i].size(), ".attn_qkv.");
      fused.required = false;
      fused.shape.dim[0] = n_q + n_k + n_v;
      NIBBLE_TRY(const auto found, source_->find(fused));
      if (found.empty()) break;
      NIBBLE_TRY(const auto whole, is_vector(spec) ? load_vector(fused) : source_->matrices(fused));
      return std::vector<Matrix>{whole[0].rows(first[i], static_cast<int>(spec.shape.dim[0]))};
    }
    return std::vector<Matrix>();
  }

  void place(const TensorSpec& spec, std::vector<Matrix> matrices) {
    const std::string name = name_of(spec);
    if (name.find("{e}") == name.npos && name.find("{h}") == name.npos)
      return add(name, spec, std::move(matrices), spec.shape);
    Shape one = spec.shape;
    std::copy(one.dim.begin() + 1, one.dim.end(), one.dim.begin());
    one.dim[--one.n_dims] = 0;
    for (size_t i = 0; i < matrices.size(); ++i) add(numbered(name, i), spec, {matrices[i]}, one);
  }

  std::vector<int64_t> rows_of(const TensorSpec& spec, int n_rows) const {
    const RowOrder order(spec, out_.hparams_);
    if (order.is_same()) return {};
    std::vector<int64_t> rows(static_cast<size_t>(n_rows));
    for (int64_t r = 0; r < n_rows; ++r) rows[static_cast<size_t>(order.stored(r))] = r;
    return rows;
  }

  // A part of the tensor of that name; the first one makes the tensor.
  void add(const std::string& name, const TensorSpec& spec, std::vector<Matrix> matrices,
           Shape shape) {
    const auto [at, is_new] = place_.emplace(name, out_.items_.size());
    const int n_rows = matrices[0].n_rows, n_cols = matrices[0].n_cols;
    if (is_new) {
      auto& item = out_.items_.emplace_back();
      item.is_vector = is_vector(spec);
      item.n_matrices = std::ssize(matrices);
      set_sizes(item, spec, n_rows, n_cols);
      out_.plans_.push_back({name, nullptr, folder_shape(item, spec, shape)});
    }
    auto& item = out_.items_[at->second];
    item.parts.push_back({spec, std::move(matrices), {}});
    if (!is_kv_b(spec)) item.parts.back().rows = rows_of(spec, n_rows);
  }

  void set_sizes(HfTensors::Item& item, const TensorSpec& spec, int n_rows, int n_cols) const {
    const MlaHparams& m = out_.hparams_.mla;
    item.n_rows = int64_t{n_rows} * spec.n_parts;
    item.n_cols = n_cols;
    const bool columns = spec.fix == Fix::kTranspose && !item.is_vector;
    if (columns) std::swap(item.n_rows, item.n_cols);
    if (is_kv_b(spec)) item.n_rows = m.d_nope + m.d_v, item.n_cols = m.kv_lora;
    item.block_rows =
        columns || is_kv_b(spec) ? item.n_rows : std::max<int64_t>(1, kBlockWeights / item.n_cols);
  }

  static Shape folder_shape(const HfTensors::Item& item, const TensorSpec& spec, Shape shape) {
    if (is_kv_b(spec)) return Shape{2, {item.n_matrices * item.n_rows, item.n_cols}};
    if (item.is_vector) {
      shape.dim[static_cast<size_t>(shape.n_dims - 1)] *= spec.n_parts;
      return shape;
    }
    shape.dim[static_cast<size_t>(shape.n_dims - 2)] = item.n_rows;
    shape.dim[static_cast<size_t>(shape.n_dims - 1)] = item.n_cols;
    return shape;
  }

  // In the order of parts, none missing.
  Result<void> check_parts() {
    for (size_t i = 0; i < out_.items_.size(); ++i) {
      auto& parts = out_.items_[i].parts;
      std::ranges::sort(parts, {}, [](const auto& p) { return p.spec.part; });
      const TensorSpec& spec = parts[0].spec;
      if (std::ssize(parts) != (is_kv_b(spec) ? 2 : spec.n_parts))
        return corrupt("tensor {}: not all parts of {} are there", in_quotes(spec.gguf_name),
                       in_quotes(out_.plans_[i].name));
    }
    return {};
  }

  Result<void> choose_types(const StoredType* type) {
    const StoredType* f32 = find_stored_type("F32");
    std::map<const StoredType*, int64_t> n_weights;
    for (size_t i = 0; i < out_.items_.size(); ++i) {
      auto& item = out_.items_[i];
      NIBBLE_TRY(item.type, type ? Result<const StoredType*>(type) : stored(i));
      if (!is_float_role(item.parts[0].spec))
        n_weights[item.type] += out_.plans_[i].shape.n_elements();
    }
    const auto most =
        std::ranges::max_element(n_weights, {}, [](const auto& x) { return x.second; });
    for (size_t i = 0; i < out_.items_.size(); ++i) {
      auto& item = out_.items_[i];
      if (!type && most != n_weights.end() && most->first != f32 &&
          is_float_role(item.parts[0].spec) && fits(item, *most->first))
        item.type = most->first;
      out_.plans_[i].type = item.type;
    }
    return {};
  }

  Result<const StoredType*> stored(size_t i) const {
    const StoredType* common = nullptr;
    for (const auto& part : out_.items_[i].parts)
      for (const Matrix& m : part.matrices) {
        const StoredType* one = type_of(*m.format);
        if (!one)
          return invalid_input(
              "tensor {} is quantized ({}), which a Hugging Face folder has no form for; decode "
              "it with --type bf16, f16 or f32",
              in_quotes(part.spec.gguf_name), m.format->name);
        common = !common || common == one ? one : find_stored_type("F32");
      }
    return common;
  }

  // Whether every value of the item is one of the type.
  bool fits(const HfTensors::Item& item, const StoredType& type) const {
    const auto& kernels = quant::kernels(*type.format);
    for (int64_t m = 0; m < item.n_matrices; ++m)
      for (int64_t row = 0; row < item.n_rows; row += item.block_rows) {
        const auto x =
            out_.values({&item, 0, m, row, std::min(item.block_rows, item.n_rows - row)});
        std::vector<std::byte> bytes(x.size() * type.n_bytes());
        std::vector<float> back(x.size());
        kernels.quantize(x.data(), std::ssize(x), bytes.data());
        kernels.dequantize(bytes.data(), std::ssize(x), back.data());
        if (back != x) return false;
      }
    return true;
  }

  const std::vector<std::string>& names_;
  HfTensors out_;
  std::optional<TensorSource> source_;
  std::set<std::string> done_;
  std::map<std::string, size_t> place_;
};

Result<HfTensors> HfTensors::plan(const WeightFile& gguf, const Architecture& family,
                                  const Hparams& hparams, const std::vector<std::string>& names,
                                  const StoredType* type) {
  return HfPlanner(gguf, hparams, names).run(family.tensors(hparams), type);
}

}  // namespace nibble
