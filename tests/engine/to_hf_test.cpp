// GGUF models as Hugging Face folders: read back they are the same, tensor by tensor, and so are
// folders that became GGUF files in between.
#include "core/pipeline/to_hf.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "core/models/config_writer.h"
#include "core/models/family.h"
#include "core/pipeline/convert.h"
#include "core/pipeline/evaluate.h"
#include "core/pipeline/verify.h"
#include "core/text/tokenizer.h"
#include "formats/folder_files.h"
#include "tests/engine/memory_model.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr auto kGoOn = [](uint64_t, uint64_t) { return true; };

std::filesystem::path folder_of(const TemporaryFolder& t) { return t.path() / "model"; }

Result<ToHfResult> write(WeightFile& source, const std::filesystem::path& target,
                         const char* type = nullptr, uint64_t max_shard_bytes = 0) {
  ThreadPool pool(2);
  return write_hf_folder(source,
                         {.target = target,
                          .type = type ? find_stored_type(type) : nullptr,
                          .max_shard_bytes = max_shard_bytes,
                          .go_on = kGoOn},
                         pool);
}

std::vector<float> values_of(const TensorView& t) {
  std::vector<float> out(static_cast<size_t>(t.shape.n_elements()));
  decode_rows(t, 0, t.shape.n_rows(), out.data());
  return out;
}

// What differs between the tensors of a and those of b; "": nothing. most: allowed of each value.
std::string difference(const WeightFile& a, const WeightFile& b, double most = 0) {
  if (a.tensors().size() != b.tensors().size())
    return fmt::format("{} tensors and {}", a.tensors().size(), b.tensors().size());
  for (const TensorView& t : a.tensors()) {
    const TensorView* other = b.find(t.name);
    if (!other) return fmt::format("no {}", t.name);
    if (other->format->name != t.format->name || other->shape != t.shape)
      return fmt::format("{}: {} {} and {} {}", t.name, t.format->name, to_string(t.shape),
                         other->format->name, to_string(other->shape));
    const auto x = values_of(t), y = values_of(*other);
    // Divisors are no weights: a folder's config has the numbers that they follow from.
    const double allowed = t.name == "rope_freqs.weight" ? 1e-5 : most;
    for (size_t i = 0; i < x.size(); ++i)
      if (!(std::abs(x[i] - y[i]) <= allowed) ||
          (allowed == 0 && std::signbit(x[i]) != std::signbit(y[i])))
        return fmt::format("{}[{}]: {} and {}", t.name, i, x[i], y[i]);
  }
  return "";
}

std::vector<std::vector<float>> logits_of(const WeightFile& file) {
  const auto model = Model::load(file);
  REQUIRE_MESSAGE(model, (model ? "" : model.error().message));
  ThreadPool pool(2);
  auto engine = Engine::create(*model, pool, {.n_ctx = 64, .exact = true});
  REQUIRE(engine);
  std::vector<TokenId> tokens;
  for (int i = 0; i < 40; ++i) tokens.push_back((i * 37 + i * i * 11 + 5) % 96);
  std::vector<std::vector<float>> rows;
  REQUIRE(eval_logits(*engine, tokens, [&](int, std::span<const float> row) {
    rows.emplace_back(row.begin(), row.end());
    return true;
  }));
  return rows;
}

// What a GGUF file's hyperparameters have otherwise than its source; "": nothing.
std::string misread(const WeightFile& source, const WeightFile& gguf) {
  Verification v;
  const auto read = verify_hparams(source, gguf, v);
  if (!read) return read.error().message;
  return v.n_mismatches ? v.mismatches[0] : "";
}

double worst(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  double most = 0;
  for (size_t t = 0; t < a.size(); ++t)
    for (size_t i = 0; i < a[t].size(); ++i)
      most = std::max(most, std::abs(double{a[t][i]} - b[t][i]));
  return most;
}

}  // namespace

TEST_CASE("each family's tiny models become folders that give the same logits, and come back") {
  for (const Architecture* a : architectures()) {
    for (const std::string_view config : a->tiny) {
      INFO(a->gguf_name << " " << config);
      auto gguf = MemoryModel::create(*a, config, "f32");
      REQUIRE(gguf);
      const TemporaryFolder out;
      const auto written = write(*gguf, folder_of(out));
      REQUIRE_MESSAGE(written, (written ? "" : written.error().message));
      const auto folder = open_weight_file(folder_of(out));
      REQUIRE_MESSAGE(folder, (folder ? "" : folder.error().message));
      CHECK(worst(logits_of(*gguf), logits_of(**folder)) < 2e-3);
      const auto back = open_as_gguf(folder_of(out));
      REQUIRE_MESSAGE(back, (back ? "" : back.error().message));
      CHECK(misread(**folder, *back->file) == "");
      const bool minus_one = a->gguf_name.starts_with("gemma");  // may round
      for (const TensorView& t : gguf->tensors()) {
        const TensorView* other = back->file->find(t.name);
        REQUIRE_MESSAGE(other, t.name);
        const auto x = values_of(t), y = values_of(*other);
        REQUIRE(x.size() == y.size());
        for (size_t i = 0; i < x.size(); ++i)
          REQUIRE(std::abs(x[i] - y[i]) <= (minus_one ? 1.2e-7 : 0));
      }
    }
  }
}

TEST_CASE("folders whose rotation is scaled give the same logits when read as GGUF") {
  const auto scaling_of = [](std::string_view type, int n_rot) {
    Json s{{"rope_type", type}, {"factor", 4.0}, {"original_max_position_embeddings", 16}};
    if (type == "longrope") {
      std::vector<double> factors;
      for (int i = 0; i < n_rot / 2; ++i) factors.push_back(1 + 0.25 * i);
      s["short_factor"] = factors;
      for (double& f : factors) f *= 3;
      s["long_factor"] = factors;
    }
    return s;
  };
  int n_read = 0;
  for (const Architecture* a : architectures()) {
    auto gguf = MemoryModel::create(*a, a->tiny[0], "f32");
    REQUIRE(gguf);
    const auto hparams = a->read_hparams({gguf->metadata(), &*gguf});
    REQUIRE(hparams);
    if (hparams->rope.n_rot == 0) continue;
    const TemporaryFolder out;
    REQUIRE(write(*gguf, folder_of(out)));
    const auto path = folder_of(out) / "config.json";
    const Json config = *read_json_in_folder(folder_of(out), "config.json");
    for (const char* type : {"linear", "dynamic", "yarn", "llama3", "longrope"}) {
      INFO(a->gguf_name << " " << std::string(type));
      Json changed = config;
      changed.erase("rope_parameters");
      changed["rope_scaling"] = scaling_of(type, hparams->rope.n_rot);
      std::ofstream(path) << dump_json(changed);
      const auto folder = open_weight_file(folder_of(out));
      REQUIRE(folder);
      if (!Model::load(**folder)) continue;  // not built in for the family
      const auto converted = open_as_gguf(folder_of(out));
      REQUIRE_MESSAGE(converted, (converted ? "" : converted.error().message));
      CHECK(worst(logits_of(**folder), logits_of(*converted->file)) < 2e-3);
      CHECK(misread(**folder, *converted->file) == "");
      ++n_read;
    }
  }
  CHECK(n_read > 60);
}

TEST_CASE("a hyperparameter that reads back otherwise is named, with both values") {
  const Architecture& a = *find_architecture("qwen3moe");
  auto config = *parse_json(a.tiny[0]);
  const auto source = MemoryModel::create(a, dump_json(config), "f32");
  REQUIRE(source);
  config["max_position_embeddings"] = 77;
  config["rope_theta"] = 5000;
  config["norm_topk_prob"] = false;
  const auto written = MemoryModel::create(a, dump_json(config), "f32");
  REQUIRE(written);
  Verification v;
  REQUIRE(verify_hparams(*source, *source, v));
  CHECK((v.hparams && v.n_mismatches == 0));
  REQUIRE(verify_hparams(*source, *written, v));
  const std::vector<std::string> expected = {
      "hyperparameter n_ctx_train: 77, the source has 256",
      "hyperparameter rope.base: 5000, the source has 10000",
      "hyperparameter rope_swa.base: 5000, the source has 10000",
      "hyperparameter moe.normalize: false, the source has true"};
  CHECK(v.mismatches == expected);
}

TEST_CASE("GGUF files of the kit become folders and are, back again, bit for bit the same") {
  NIBBLE_NEED_DATA("reference-gguf");
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / "reference-gguf")) {
    if (entry.path().extension() != ".gguf") continue;
    INFO(entry.path().stem().string());
    const auto gguf = open_weight_file(entry.path());
    REQUIRE(gguf);
    const TemporaryFolder out;
    const auto written = write(**gguf, folder_of(out));
    REQUIRE_MESSAGE(written, (written ? "" : written.error().message));
    CHECK(written->has_tokenizer);
    const auto back = open_as_gguf(folder_of(out));
    REQUIRE_MESSAGE(back, (back ? "" : back.error().message));
    CHECK(difference(**gguf, *back->file) == "");
  }
}

TEST_CASE("folders of the kit become GGUF files and are, back again, bit for bit the same") {
  NIBBLE_NEED_DATA("reference-models");
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / "reference-models")) {
    if (!std::filesystem::exists(entry.path() / "config.json")) continue;
    const std::string name = entry.path().filename().string();
    INFO(name);
    const auto source = open_weight_file(entry.path());
    const auto gguf = open_as_gguf(entry.path());
    REQUIRE(source);
    REQUIRE_MESSAGE(gguf, (gguf ? "" : gguf.error().message));
    CHECK(misread(*source.value(), *gguf->file) == "");
    const TemporaryFolder out;
    const auto written =
        write(*gguf->file, folder_of(out), name == "gpt_oss_mxfp4" ? "BF16" : nullptr);
    REQUIRE_MESSAGE(written, (written ? "" : written.error().message));
    if (name == "gpt_oss_mxfp4") continue;
    const auto back = open_weight_file(folder_of(out));
    REQUIRE_MESSAGE(back, (back ? "" : back.error().message));
    const bool minus_one = name.starts_with("gemma");
    for (const TensorView& t : (*back)->tensors()) {
      const TensorView* other = (*source)->find(t.name);
      REQUIRE_MESSAGE(other, t.name);
      const auto x = values_of(t), y = values_of(*other);
      REQUIRE(x.size() == y.size());
      if (minus_one)  // may round
        for (size_t i = 0; i < x.size(); ++i) REQUIRE(std::abs(x[i] - y[i]) <= 1.2e-7);
      else
        CHECK_MESSAGE((x == y && t.format->name == other->format->name), t.name);
      CHECK(t.shape == other->shape);
    }
  }
}

TEST_CASE("the folder's tokenizer gives the ids of the file's") {
  NIBBLE_NEED_DATA("reference-gguf");
  for (const char* name : {"llama", "qwen2", "gemma", "gpt2", "phi", "cohere", "falcon_40b"}) {
    INFO(name);
    const auto gguf =
        open_weight_file(data_dir() / "reference-gguf" / (name + std::string(".gguf")));
    REQUIRE(gguf);
    const TemporaryFolder out;
    REQUIRE(write(**gguf, folder_of(out)));
    const auto a = Tokenizer::from_gguf((*gguf)->metadata());
    const auto b = Tokenizer::from_folder(folder_of(out));
    REQUIRE(a);
    REQUIRE_MESSAGE(b, (b ? "" : b.error().message));
    for (const char* text :
         {"Hello world!", " two  spaces\n\n\ttabs", "h\u00e9 \u4f60\u597d \U0001f600",
          "it's 12345 o'clock", "<s>[INST] x [/INST]</s><|endoftext|>"})
      CHECK(*(*a)->encode(text) == *(*b)->encode(text));
  }
}

TEST_CASE("large folders are split, with an index, and read back") {
  const Architecture& a = *find_architecture("qwen3");
  auto gguf = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(gguf);
  const TemporaryFolder out;
  const auto written = write(*gguf, folder_of(out), nullptr, 40000);
  REQUIRE_MESSAGE(written, (written ? "" : written.error().message));
  CHECK(written->n_files > 2);
  CHECK(std::filesystem::exists(folder_of(out) / "model.safetensors.index.json"));
  const auto back = open_as_gguf(folder_of(out));
  REQUIRE_MESSAGE(back, (back ? "" : back.error().message));
  CHECK(difference(*gguf, *back->file) == "");
}

TEST_CASE("a quantized model becomes a folder only in a type that is asked for") {
  const Architecture& a = *find_architecture("llama");
  auto gguf = MemoryModel::create(a, a.tiny[0], "q8_0");
  REQUIRE(gguf);
  const TemporaryFolder out;
  const auto refused = write(*gguf, folder_of(out));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "tensor 'token_embd.weight' is quantized (q8_0), which a Hugging Face folder has no form "
        "for; decode it with --type bf16, f16 or f32");
  CHECK(out.n_files() == 0);
  const auto written = write(*gguf, folder_of(out), "F32");
  REQUIRE(written);
  CHECK(written->torch_dtype == "float32");
  const auto folder = open_weight_file(folder_of(out));
  REQUIRE(folder);
  CHECK(worst(logits_of(*gguf), logits_of(**folder)) < 2e-3);
}

TEST_CASE("a folder appears whole or not at all, and takes no other folder's place") {
  const Architecture& a = *find_architecture("llama");
  auto gguf = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(gguf);
  const TemporaryFolder out;
  ThreadPool pool(1);
  const auto stop = [](uint64_t, uint64_t) { return false; };
  const auto stopped = write_hf_folder(*gguf, {.target = folder_of(out), .go_on = stop}, pool);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().kind == ErrorKind::kInterrupted);
  CHECK(out.n_files() == 0);
  out.write("model/notes.txt", "mine");
  const auto other = write(*gguf, folder_of(out));
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::kUsage);
  const auto forced =
      write_hf_folder(*gguf, {.target = folder_of(out), .overwrite = true, .go_on = kGoOn}, pool);
  REQUIRE_FALSE(forced);
  CHECK(out.read("model/notes.txt") == "mine");
  out.write("model/config.json", "{}");
  CHECK(
      write_hf_folder(*gguf, {.target = folder_of(out), .overwrite = true, .go_on = kGoOn}, pool));
  CHECK_FALSE(std::filesystem::exists(folder_of(out) / "notes.txt"));
  CHECK(out.n_files() == 1);
}
