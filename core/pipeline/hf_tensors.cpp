// See hf_tensors.h.
#include "core/pipeline/hf_tensors.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/printable.h"
#include "core/pipeline/recode_cast.h"

namespace nibble {
namespace {

constexpr uint64_t kBatchBytes = uint64_t{16} << 20;  // made, then written

bool is_column_part(Fix fix) { return fix == Fix::kTranspose; }
bool is_head_part(Fix fix) { return fix == Fix::kKeyPart || fix == Fix::kValuePart; }

// In the folder's matrix, the column of row `row` of a part.
int64_t joined_column(const TensorSpec& spec, int64_t n_part_rows, int64_t row) {
  return spec.interleaved ? row * spec.n_parts + spec.part : spec.part * n_part_rows + row;
}

struct Encoded {
  std::vector<std::byte> bytes;
  const char* fault = nullptr;
};

Encoded encode(const std::vector<float>& x, const StoredType& type) {
  Encoded out;
  float most = 0, sum = 0;  // x * 0 is 0 unless x is infinite or no number
  for (const float v : x) most = std::max(most, std::abs(v)), sum += v * 0.0f;
  if (!(sum == 0.0f)) out.fault = "a weight is not a finite number";
  if (type.name == "F16" && most > kLargestHalf) out.fault = "a weight is more than F16 can hold";
  out.bytes.resize(x.size() * type.n_bytes());
  if (type.name == "F32")
    std::copy_n(reinterpret_cast<const std::byte*>(x.data()), out.bytes.size(), out.bytes.data());
  else
    quant::kernels(*type.format).quantize(x.data(), std::ssize(x), out.bytes.data());
  return out;
}

}  // namespace

std::vector<HfTensors::Block> HfTensors::blocks() const {
  std::vector<Block> out;
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    for (int64_t m = 0; m < item.n_matrices; ++m)
      for (int64_t row = 0; row < item.n_rows; row += item.block_rows)
        out.push_back({&item, i, m, row, std::min(item.block_rows, item.n_rows - row)});
  }
  return out;
}

void HfTensors::fill_rows(const Block& b, float* out) const {
  const Item& item = *b.item;
  const int64_t n_parts = std::ssize(item.parts), n_part_rows = item.n_rows / n_parts;
  const bool interleaved = item.parts[0].spec.interleaved;
  for (int64_t i = 0; i < b.n; ++i) {
    const int64_t row = b.first + i;
    const Part& part =
        item.parts[static_cast<size_t>(interleaved ? row % n_parts : row / n_part_rows)];
    const int64_t at = interleaved ? row / n_parts : row % n_part_rows;
    const int64_t stored = part.rows.empty() ? at : part.rows[static_cast<size_t>(at)];
    float* to = out + i * item.n_cols;
    part.matrices[static_cast<size_t>(b.matrix)].decode(static_cast<int>(stored), to);
    if (part.spec.fix == Fix::kPlusOne)
      for (int64_t c = 0; c < item.n_cols; ++c) to[c] -= 1.0f;
  }
}

void HfTensors::fill_columns(const Block& b, float* out) const {
  for (const Part& part : b.item->parts) {
    const Matrix& m = part.matrices[static_cast<size_t>(b.matrix)];
    std::vector<float> row(static_cast<size_t>(m.n_cols));
    for (int64_t r = 0; r < m.n_rows; ++r) {
      m.decode(static_cast<int>(r), row.data());
      const int64_t column = joined_column(part.spec, m.n_rows, r);
      for (int64_t c = 0; c < m.n_cols; ++c)
        out[c * b.item->n_cols + column] = row[static_cast<size_t>(c)];
    }
  }
}

// The head's rows in kv_b: keys, which are columns in GGUF, and values.
void HfTensors::fill_heads(const Block& b, float* out) const {
  const MlaHparams& h = hparams_.mla;
  for (const Part& part : b.item->parts) {
    const Matrix& m = part.matrices[static_cast<size_t>(b.matrix)];
    const bool keys = part.spec.fix == Fix::kKeyPart;
    std::vector<float> row(static_cast<size_t>(m.n_cols));
    for (int64_t r = 0; r < m.n_rows; ++r) {
      m.decode(static_cast<int>(r), row.data());
      for (int64_t c = 0; c < m.n_cols; ++c) {
        const int64_t at = keys ? c * h.kv_lora + r : (h.d_nope + r) * h.kv_lora + c;
        out[at] = row[static_cast<size_t>(c)];
      }
    }
  }
}

std::vector<float> HfTensors::values(const Block& b) const {
  std::vector<float> out(static_cast<size_t>(b.n * b.item->n_cols));
  const Fix fix = b.item->parts.front().spec.fix;
  if (is_head_part(fix))
    fill_heads(b, out.data());
  else if (is_column_part(fix) && !b.item->is_vector)
    fill_columns(b, out.data());
  else
    fill_rows(b, out.data());
  return out;
}

Result<void> HfTensors::write(SafetensorsWriter& out, ThreadPool& pool,
                              FunctionRef<bool(uint64_t, uint64_t)> go_on) const {
  const auto all = blocks();
  uint64_t done = 0, total = 0;
  for (const SafetensorPlan& p : plans_) total += p.n_bytes();
  for (size_t first = 0; first < all.size();) {
    if (!go_on(done, total)) return fail(ErrorKind::kInterrupted, "interrupted");
    size_t last = first;
    for (uint64_t n = 0; last < all.size() && n < kBatchBytes; ++last)
      n += static_cast<uint64_t>(all[last].n * all[last].item->n_cols) * sizeof(float);
    std::vector<Encoded> made(last - first);
    pool.run(static_cast<int>(made.size()), [&](int i, int) {
      const Block& block = all[first + static_cast<size_t>(i)];
      made[static_cast<size_t>(i)] = encode(values(block), *block.item->type);
    });
    for (size_t i = 0; i < made.size(); ++i) {
      if (made[i].fault)
        return invalid_input("tensor {}: {}", in_quotes(plans_[all[first + i].tensor].name),
                             made[i].fault);
      done += made[i].bytes.size();
      NIBBLE_CHECK(out.write(made[i].bytes));
    }
    first = last;
  }
  return {};
}

std::string_view HfTensors::torch_dtype() const {
  std::map<std::string_view, uint64_t> n;
  for (const SafetensorPlan& p : plans_)
    n[p.type->name] += static_cast<uint64_t>(p.shape.n_elements());
  const auto most = std::ranges::max_element(n, {}, [](const auto& x) { return x.second; });
  if (most == n.end() || most->first == "F32") return "float32";
  return most->first == "F16" ? "float16" : "bfloat16";
}

}  // namespace nibble
