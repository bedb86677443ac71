// See lora.h.
#include "core/models/lora.h"

#include <algorithm>

#include "core/base/printable.h"
#include "core/models/hf_prefix.h"
#include "core/models/row_order.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

// Of adapters and scales a model takes at most this much together.
constexpr int kMaxRanks = 1 << 16;

struct Target {
  const TensorSpec* spec;
  int index;  // in the stack; -1: all of it
};
using Targets = std::map<std::string, std::vector<Target>, std::less<>>;

void add_hf_names(const TensorSpec& spec, Targets& out) {
  std::string_view names = spec.hf_name;
  const size_t n = spec.shape.n_dims == 3 ? static_cast<size_t>(spec.shape.dim[0]) : 1;
  for (; !names.empty(); names.remove_prefix(std::min(names.find('|'), names.size() - 1) + 1)) {
    const std::string_view name = names.substr(0, names.find('|'));
    const size_t mark = name.find("{e}");
    for (size_t i = 0; i < (mark == name.npos ? 1 : n); ++i) {
      std::string one(name);
      if (mark != name.npos) one.replace(mark, 3, std::to_string(i));
      out[one].push_back({&spec, mark == name.npos ? -1 : static_cast<int>(i)});
    }
  }
}

Targets targets_of(const std::vector<TensorSpec>& table, bool hf_names) {
  Targets out;
  for (const TensorSpec& spec : table) {
    const bool is_matrix = spec.shape.n_dims >= 2 && spec.gguf_name.ends_with(".weight") &&
                           spec.gguf_name.find("norm") == std::string::npos;
    if (!is_matrix || spec.gguf_name.ends_with("_embd.weight")) continue;
    if (hf_names)
      add_hf_names(spec, out);
    else if (auto& targets = out[spec.gguf_name]; targets.empty())
      targets.push_back({&spec, -1});
  }
  return out;
}

// A pair in f32.
struct Values {
  int64_t n, rank, n_rows, n_cols;  // n matrices
  std::vector<float> a, b;

  explicit Values(const LoraPair& pair)
      : n(pair.a.shape.n_dims == 3 ? pair.a.shape.dim[0] : 1),
        rank(pair.rank()),
        n_rows(pair.b.shape.n_rows() / n),
        n_cols(pair.a.shape.n_cols()),
        a(static_cast<size_t>(pair.a.shape.n_elements())),
        b(static_cast<size_t>(pair.b.shape.n_elements())) {
    decode_rows(pair.a, 0, pair.a.shape.n_rows(), a.data());
    decode_rows(pair.b, 0, pair.b.shape.n_rows(), b.data());
  }
  const float* a_row(int64_t i, int64_t r) const { return a.data() + (i * rank + r) * n_cols; }
  const float* b_row(int64_t i, int64_t row) const { return b.data() + (i * n_rows + row) * rank; }
};

// The targets of a weight's name, however the folder that it was trained on begins its names.
const std::vector<Target>* find_targets(const Targets& targets, std::string_view name) {
  for (const HfPrefix& prefix : kHfPrefixes) {
    const auto one = prefix.table_name(name);
    if (!one) continue;
    if (const auto at = targets.find(*one); at != targets.end()) return &at->second;
  }
  return nullptr;
}

Shape matrix_of(const Shape& s) { return Shape{2, {s.dim[s.n_dims - 2], s.dim[s.n_dims - 1]}}; }

}  // namespace

class LoraBinder {
 public:
  LoraBinder(const Hparams& hparams, const std::vector<TensorSpec>& table, LoraWeights& out)
      : h_(hparams), table_(table), out_(out) {}

  Result<void> add(const LoraInput& input) {
    hf_names_ = input.file->has_hf_names();
    if (const Metadata* keys = input.file->metadata()) {
      NIBBLE_TRY(const auto family, keys->get_string("general.architecture"));
      if (family && *family != h_.arch)
        return invalid_input("the adapter is for a model of the family {}, the base is a {}",
                             in_quotes(*family), h_.arch);
    }
    const Targets targets = targets_of(table_, hf_names_);
    for (const LoraPair& pair : input.file->pairs()) {
      const auto* found = find_targets(targets, pair.name);
      if (!found)
        return invalid_input(
            "tensor {}: the base, a {} of {} layers, has no matrix of that name that an adapter "
            "can change; was the adapter made for another model?",
            in_quotes(pair.name), h_.arch, h_.n_layer);
      NIBBLE_CHECK(add_pair(pair, *found, input.scaled ? pair.scale * input.scale : 1.0f));
    }
    return {};
  }

 private:
  bool is_kv_b(const TensorSpec& s) const {
    return hf_names_ && (s.fix == Fix::kKeyPart || s.fix == Fix::kValuePart);
  }

  // The matrix that B A must be like, for one matrix of the target.
  Shape expected(const TensorSpec& spec) const {
    if (is_kv_b(spec))
      return Shape{2, {int64_t{h_.n_head} * (h_.mla.d_nope + h_.mla.d_v), h_.mla.kv_lora}};
    Shape s = matrix_of(spec.shape);
    if (hf_names_) s.dim[0] *= spec.n_parts;
    return s;
  }

  Result<void> add_pair(const LoraPair& pair, const std::vector<Target>& targets, float scale) {
    const TensorSpec& first = *targets.front().spec;
    const bool stack = first.shape.n_dims == 3 && targets.front().index < 0 && !is_kv_b(first);
    const int64_t n = stack ? first.shape.dim[0] : 1;
    const Shape &a = pair.a.shape, &b = pair.b.shape, want = expected(first);
    if (a.n_cols() != want.dim[1] || b.n_rows() != want.dim[0] * n ||
        a.n_rows() != n * pair.rank() || pair.rank() < 1 || pair.rank() > kMaxRanks)
      return invalid_input(
          "tensor {}: the pair changes a matrix of {} rows and {} columns, the base's has {} and "
          "{}: was the adapter made for another model?",
          in_quotes(pair.name), b.n_rows() / n, a.n_cols(), want.dim[0], want.dim[1]);
    const Values values(pair);
    for (const Target& target : targets) {
      if (is_kv_b(*target.spec)) {
        for (int head = 0; head < h_.n_head; ++head) add_head(*target.spec, head, values, scale);
        continue;
      }
      for (int64_t i = 0; i < n; ++i)
        add_matrix(*target.spec, target.index < 0 ? static_cast<int>(i) : target.index, i, values,
                   scale);
    }
    return {};
  }

  // Ranks behind those that are there already: A's rows are appended, B's columns put beside.
  void append(const TensorSpec& spec, int index, std::vector<float> a, std::vector<float> b,
              int64_t rank) {
    LoraWeights::Change& c = out_.changes_[{spec.gguf_name, index}];
    c.spec = spec;
    const auto n_rows = static_cast<size_t>(matrix_of(spec.shape).dim[0]);
    const size_t before = c.b.size() / n_rows, more = static_cast<size_t>(rank);
    std::vector<float> joined(n_rows * (before + more));
    for (size_t row = 0; row < n_rows; ++row) {
      float* to = joined.data() + row * (before + more);
      std::copy_n(c.b.data() + row * before, before, to);
      std::copy_n(b.data() + row * more, more, to + before);
    }
    c.b = std::move(joined);
    c.a.insert(c.a.end(), a.begin(), a.end());
  }

  // The adapter's row of B for row `row` of the base's matrix. inverse: of the rows of spec, where
  // the base is in Hugging Face's order and the adapter in GGUF's.
  int64_t b_row_of(const TensorSpec& spec, int64_t row, std::span<const int64_t> inverse) const {
    if (!hf_names_) return inverse.empty() ? row : inverse[static_cast<size_t>(row)];
    const int64_t at = h_.hf_rows ? row : RowOrder(spec, h_).stored(row);
    if (spec.interleaved) return at * spec.n_parts + spec.part;
    return spec.part * matrix_of(spec.shape).dim[0] + at;
  }

  void add_matrix(const TensorSpec& spec, int index, int64_t from, const Values& v, float scale) {
    const int64_t n_rows = matrix_of(spec.shape).dim[0];
    std::vector<int64_t> inverse(!hf_names_ && h_.hf_rows ? static_cast<size_t>(n_rows) : 0);
    for (int64_t row = 0; row < std::ssize(inverse); ++row)
      inverse[static_cast<size_t>(RowOrder(spec, h_).stored(row))] = row;
    std::vector<float> a(v.a_row(from, 0), v.a_row(from, 0) + v.rank * v.n_cols), b;
    b.reserve(static_cast<size_t>(n_rows * v.rank));
    for (int64_t row = 0; row < n_rows; ++row) {
      const float* values = v.b_row(from, b_row_of(spec, row, inverse));
      for (int64_t r = 0; r < v.rank; ++r) b.push_back(scale * values[r]);
    }
    append(spec, index, std::move(a), std::move(b), v.rank);
  }

  // kv_b_proj's part for one head: the values' rows as they stand, the keys' transposed.
  void add_head(const TensorSpec& spec, int head, const Values& v, float scale) {
    const MlaHparams& m = h_.mla;
    const int64_t first = int64_t{head} * (m.d_nope + m.d_v);
    std::vector<float> a, b;
    if (spec.fix == Fix::kValuePart) {
      a.assign(v.a.begin(), v.a.end());
      for (int64_t i = 0; i < m.d_v * v.rank; ++i)
        b.push_back(scale * v.b_row(0, first + m.d_nope)[i]);
    } else {
      for (int64_t r = 0; r < v.rank; ++r)
        for (int64_t i = 0; i < m.d_nope; ++i) a.push_back(v.b_row(0, first + i)[r]);
      for (int64_t c = 0; c < m.kv_lora; ++c)
        for (int64_t r = 0; r < v.rank; ++r) b.push_back(scale * v.a_row(0, r)[c]);
    }
    append(spec, head, std::move(a), std::move(b), v.rank);
  }

  const Hparams& h_;
  const std::vector<TensorSpec>& table_;
  LoraWeights& out_;
  bool hf_names_ = false;
};

Result<LoraWeights> LoraWeights::bind(std::span<const LoraInput> inputs, const Hparams& hparams,
                                      const std::vector<TensorSpec>& table) {
  LoraWeights out;
  LoraBinder binder(hparams, table, out);
  for (const LoraInput& input : inputs)
    NIBBLE_CHECK(with_path(input.file->path(), binder.add(input)));
  const quant::Format* f32 = quant::find_format("f32");
  for (auto& [key, c] : out.changes_) {
    const Shape s = matrix_of(c.spec.shape);
    const auto n_rows = static_cast<int>(s.dim[0]), n_cols = static_cast<int>(s.dim[1]);
    const auto rank = static_cast<int>(c.a.size() / s.dim[1]);
    c.low_rank = {{f32, reinterpret_cast<const std::byte*>(c.a.data()), rank, n_cols},
                  {f32, reinterpret_cast<const std::byte*>(c.b.data()), n_rows, rank}};
  }
  return out;
}

const LowRank* LoraWeights::find(std::string_view gguf_name, int index) const {
  const auto at = changes_.find(Key(gguf_name, index));
  return at == changes_.end() ? nullptr : &at->second.low_rank;
}

int LoraWeights::max_rank() const {
  int most = 0;
  for (const auto& [key, change] : changes_) most = std::max(most, change.low_rank.rank());
  return most;
}

}  // namespace nibble
