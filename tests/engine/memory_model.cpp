#include "tests/engine/memory_model.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "core/base/json.h"
#include "quant/encoder.h"

namespace nibble::tests {
namespace {

// Repeatable numbers of about unit size, different for each name.
class Noise {
 public:
  explicit Noise(std::string_view name) {
    for (const char c : name) state_ = (state_ ^ static_cast<uint8_t>(c)) * 1099511628211u;
  }
  float next() {
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<float>(state_ >> 40) / (1 << 24) - 0.5f;
    }
    return sum * 1.7f;
  }

 private:
  uint64_t state_ = 14695981039346656037u;
};

}  // namespace

void MemoryModel::add(const TensorSpec& spec, std::string_view name) {
  const bool vector = spec.shape.n_dims < 2;
  const quant::Format* format = quant::find_format(name);
  if (vector || spec.shape.n_cols() % format->block_len != 0) format = quant::find_format("f32");
  Noise noise(spec.gguf_name);
  std::vector<float> values(spec.shape.n_elements());
  const float gain = vector ? 0.2f : 1.6f / std::sqrt(static_cast<float>(spec.shape.n_cols()));
  const bool norm = spec.gguf_name.find("norm") != std::string::npos;
  for (float& x : values)
    x = gain * noise.next() + (norm && spec.gguf_name.ends_with("weight") ? 1 : 0);
  bytes_.emplace_back(format->row_bytes(spec.shape.n_cols()) * spec.shape.n_rows());
  if (format->name == "f32")
    std::memcpy(bytes_.back().data(), values.data(), bytes_.back().size());
  else
    quant::find_encoder(*format)->encode(values.data(), spec.shape.n_rows(), spec.shape.n_cols(),
                                         nullptr, bytes_.back().data());
  names_.push_back(spec.gguf_name);
  tensors_.push_back(
      {.name = names_.back(), .format = format, .shape = spec.shape, .bytes = bytes_.back()});
}

Result<MemoryModel> MemoryModel::create(const Architecture& a, std::string_view config,
                                        std::string_view format) {
  MemoryModel model;
  NIBBLE_TRY(const Json json, parse_json(config));
  NIBBLE_TRY(model.metadata_, a.read_config(json));
  NIBBLE_TRY(Hparams h, a.read_hparams({model.metadata_, nullptr}));
  h.hf_rows = false;
  for (const TensorSpec& spec : a.tensors(h)) {
    const bool bias = spec.gguf_name.ends_with(".bias");
    if (spec.gguf_name.find("attn_qkv") != std::string::npos && !spec.required) continue;
    const bool split = spec.gguf_name.find("attn_q.") != std::string::npos ||
                       spec.gguf_name.find("attn_k.") != std::string::npos ||
                       spec.gguf_name.find("attn_v.") != std::string::npos ||
                       spec.gguf_name == "output.weight" ||
                       spec.gguf_name.ends_with("_exps.weight");
    if ((spec.required || bias || split) && !model.find(spec.gguf_name)) model.add(spec, format);
  }
  return model;
}

const TensorView* MemoryModel::find(std::string_view name) const {
  for (const TensorView& t : tensors_)
    if (t.name == name) return &t;
  return nullptr;
}

void MemoryModel::change(std::string_view name,
                         const std::function<double(int64_t, int64_t, int64_t, double)>& f) {
  for (size_t t = 0; t < tensors_.size(); ++t) {
    if (tensors_[t].name != name) continue;
    const Shape& s = tensors_[t].shape;
    const int64_t n_rows = s.dim[s.n_dims - 2], n_cols = s.n_cols();
    auto* x = reinterpret_cast<float*>(bytes_[t].data());
    for (int64_t k = 0; k < s.n_elements(); ++k)
      x[k] =
          static_cast<float>(f(k / n_cols / n_rows, k / n_cols % n_rows, k % n_cols, double{x[k]}));
  }
}

void MemoryModel::poison(std::string_view name) {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].name != name) continue;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(bytes_[i].data(), &nan, sizeof(nan));
  }
}

}  // namespace nibble::tests
