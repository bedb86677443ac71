#include "tests/adapter_files.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "formats/gguf_write.h"
#include "formats/metadata_draft.h"
#include "tests/formats/checkpoint_bytes.h"

namespace nibble::tests {
namespace {

std::vector<float> noise(uint64_t& state, size_t n, double size) {
  std::vector<float> x(n);
  for (float& value : x) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<float>(size * (static_cast<double>(state >> 40) / (1 << 23) - 1));
  }
  return x;
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class Safetensors {
 public:
  void add(const std::string& name, int64_t n_rows, int64_t n_cols, const std::vector<float>& x) {
    header_ += fmt::format(R"({}"{}":{{"dtype":"F32","shape":[{},{}],"data_offsets":[{},{}]}})",
                           header_.empty() ? "" : ",", name, n_rows, n_cols, data_.size(),
                           data_.size() + 4 * x.size());
    data_.append(reinterpret_cast<const char*>(x.data()), 4 * x.size());
  }
  std::string bytes() const { return safetensors("{" + header_ + "}", data_); }

 private:
  std::string header_, data_;
};

}  // namespace

AdapterPair random_pair(std::string name, int64_t rank, int64_t n_rows, int64_t n_cols, int64_t n) {
  uint64_t state = 88172645463325252u;
  for (const char c : name) state = (state ^ static_cast<uint8_t>(c)) * 1099511628211u;
  AdapterPair pair{std::move(name), n, rank, n_rows, n_cols, {}, {}};
  pair.a = noise(state, static_cast<size_t>(n * rank * n_cols), 1 / std::sqrt(n_cols));
  pair.b = noise(state, static_cast<size_t>(n * n_rows * rank), 1 / std::sqrt(rank));
  return pair;
}

void write_peft_adapter(const std::filesystem::path& folder, const std::vector<AdapterPair>& pairs,
                        int64_t rank, double alpha, const std::string& more) {
  std::filesystem::create_directories(folder);
  write(folder / "adapter_config.json",
        fmt::format(R"({{"peft_type": "LORA", "r": {}, "lora_alpha": {}{}}})", rank, alpha, more));
  Safetensors out;
  for (const AdapterPair& p : pairs) {
    out.add("base_model.model." + p.name + ".lora_A.weight", p.rank, p.n_cols, p.a);
    out.add("base_model.model." + p.name + ".lora_B.weight", p.n_rows, p.rank, p.b);
  }
  write(folder / "adapter_model.safetensors", out.bytes());
}

void write_gguf_adapter(const std::filesystem::path& file, const std::vector<AdapterPair>& pairs,
                        float alpha, std::string_view family) {
  MetadataDraft keys;
  keys.set_text("general.type", "adapter");
  keys.set_text("general.architecture", std::string(family));
  keys.set_text("adapter.type", "lora");
  keys.set_f32("adapter.lora.alpha", alpha);
  std::vector<gguf::TensorPlan> tensors;
  const auto shape = [](int64_t n, int64_t n_rows, int64_t n_cols) {
    return n > 1 ? Shape{3, {n, n_rows, n_cols}} : Shape{2, {n_rows, n_cols}};
  };
  const quant::Format* f32 = quant::find_format("f32");
  for (const AdapterPair& p : pairs) {
    tensors.push_back({p.name + ".lora_a", f32, shape(p.n, p.rank, p.n_cols)});
    tensors.push_back({p.name + ".lora_b", f32, shape(p.n, p.n_rows, p.rank)});
  }
  auto writer = gguf::Writer::create(gguf::lay_out({file, keys.entries(), tensors}), tensors, true);
  REQUIRE(writer);
  for (const AdapterPair& p : pairs)
    for (const auto* half : {&p.a, &p.b}) REQUIRE(writer->write(std::as_bytes(std::span(*half))));
  REQUIRE(writer->commit());
}

}  // namespace nibble::tests
