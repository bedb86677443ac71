// Folders: Hugging Face's and Meta's, whole and damaged.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"
#include "formats/weight_file.h"
#include "tests/formats/checkpoint_bytes.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
// A file of one F32 tensor with four elements, all `value`.
std::string one_tensor(const std::string& name, float value) {
  GgufBytes data;
  for (int i = 0; i < 4; ++i) data.value(value);
  return safetensors("{\"" + name + R"(":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})",
                     data.str());
}
std::string index_of(std::string_view map) {
  return "{\"metadata\":{},\"weight_map\":" + std::string(map) + "}";
}

float first_value(const TensorView& t) {
  float row[64];
  decode_rows(t, 0, 1, row);
  return row[0];
}

// A Meta part: every tensor of one layer, of 8 dimensions, 2 heads, 1 of keys; `half` the split
// dimension.
std::string meta_part(int half, float first) {
  struct Tensor {
    const char* name;
    std::vector<int32_t> sizes;
  };
  const int h = half;
  const std::vector<Tensor> tensors{{"tok_embeddings.weight", {3, 8 / h}},
                                    {"norm.weight", {8}},
                                    {"output.weight", {4 / h, 8}},
                                    {"layers.0.attention.wq.weight", {8 / h, 8}},
                                    {"layers.0.attention.wk.weight", {4 / h, 8}},
                                    {"layers.0.attention.wv.weight", {4 / h, 8}},
                                    {"layers.0.attention.wo.weight", {8, 8 / h}},
                                    {"layers.0.feed_forward.w1.weight", {12 / h, 8}},
                                    {"layers.0.feed_forward.w2.weight", {8, 12 / h}},
                                    {"layers.0.feed_forward.w3.weight", {12 / h, 8}},
                                    {"layers.0.attention_norm.weight", {8}},
                                    {"layers.0.ffn_norm.weight", {8}},
                                    {"rope.freqs", {2}}};
  std::string items;
  std::vector<std::pair<std::string, std::string>> storages;
  for (const Tensor& t : tensors) {
    const int32_t n_cols = t.sizes.back(), n = t.sizes.size() == 2 ? t.sizes[0] * n_cols : n_cols;
    const std::string key = std::to_string(storages.size());
    items += torch_tensor(
        t.name, torch_storage("FloatStorage", key, n), 0, t.sizes,
        t.sizes.size() == 2 ? std::vector<int32_t>{n_cols, 1} : std::vector<int32_t>{1});
    GgufBytes data;  // row number, counted from `first`
    for (int i = 0; i < n; ++i) data.value(first + static_cast<float>(i / n_cols));
    storages.emplace_back(key, data.str());
  }
  return torch_file(pickle_dict(items), storages);
}
constexpr std::string_view kParams =
    R"({"dim":8,"n_layers":1,"n_heads":2,"n_kv_heads":1,"norm_eps":1e-5,"vocab_size":-1})";

struct Row {
  const char* what;
  std::vector<std::pair<std::string, std::string>> files;
  ErrorKind kind;
  std::string words;
};
void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    TemporaryFolder folder;
    for (const auto& [name, bytes] : row.files) folder.write(name, bytes);
    const auto model = open_weight_file(folder.path());
    REQUIRE(!model);
    CAPTURE(model.error().message);
    CHECK(model.error().kind == row.kind);
    CHECK(model.error().message.find(row.words) != std::string::npos);
    CHECK(model.error().message.starts_with(folder.path().string()));
  }
}
}  // namespace

TEST_CASE("a message has a folder's path or that of one of its files, not both") {
  const auto message = [](const char* path, const char* inside) {
    return with_path(path, Result<void>(corrupt("{}", inside))).error().message;
  };
  CHECK(message("/m/a", "is empty") == "/m/a: is empty");
  CHECK(message("/m/a", "/m/a/config.json: is empty") == "/m/a/config.json: is empty");
  CHECK(message("/m/a/", "/m/a/config.json: is empty") == "/m/a/config.json: is empty");
  CHECK(message("/m/a", "/m/ab/config.json: is empty") == "/m/a: /m/ab/config.json: is empty");
}

TEST_CASE("a Hugging Face folder: one file, or the files and tensors that an index names") {
  TemporaryFolder folder;
  folder.write("config.json", R"({"model_type":"llama"})");
  folder.write("model.safetensors", one_tensor("a", 1));
  folder.write("consolidated.safetensors", "not a model file");
  auto model = open_weight_file(folder.path());
  REQUIRE_MESSAGE(model, model.error().message);
  CHECK((*model)->container() == "huggingface");
  CHECK((*model)->folder() == folder.path());
  CHECK((*(*model)->config())["model_type"] == "llama");
  CHECK((*model)->find("a")->format->name == "f32");
  CHECK((*model)->files().size() == 1);
  folder.write("x-1.safetensors", one_tensor("a", 2));
  folder.write("x-2.safetensors", one_tensor("b", 3));
  folder.write("model.safetensors.index.json",
               index_of(R"({"b":"x-2.safetensors","a":"x-1.safetensors"})"));
  model = open_weight_file(folder.path());
  REQUIRE_MESSAGE(model, model.error().message);
  CHECK((*model)->tensors().size() == 2);
  CHECK(first_value(*(*model)->find("a")) == 2);
  CHECK(first_value(*(*model)->find("b")) == 3);
  CHECK((*model)->n_bytes() == 2 * one_tensor("a", 1).size());
}

TEST_CASE("a Hugging Face folder with PyTorch's files") {
  TemporaryFolder folder;
  folder.write("config.json", "{}");
  const std::string tensor =
      torch_tensor("a", torch_storage("FloatStorage", "0", 4), 0, {2, 2}, {2, 1});
  folder.write("pytorch_model.bin",
               torch_file(pickle_dict(tensor), {{"0", GgufBytes().value(5.0f).zeros(12)}}));
  const auto model = open_weight_file(folder.path());
  REQUIRE_MESSAGE(model, model.error().message);
  CHECK(first_value(*(*model)->find("a")) == 5);
}

TEST_CASE("safetensors whose header has the length of another format's first bytes are read") {
  for (const size_t length : {size_t{0x0280}, size_t{0x4b50}, size_t{0x10280}}) {
    TemporaryFolder folder;
    folder.write("config.json", "{}");
    std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    header.resize(length, ' ');
    folder.write("model.safetensors", safetensors(header, std::string(4, '\0')));
    const auto model = open_weight_file(folder.path());
    REQUIRE_MESSAGE(model, (model ? "" : model.error().message));
    CHECK((*model)->find("a"));
  }
}

TEST_CASE("damaged folders are refused before any work, naming the file") {
  using enum ErrorKind;
  const std::string index = "model.safetensors.index.json";
  const auto indexed = [&](std::string_view map) {
    return std::vector<std::pair<std::string, std::string>>{
        {"config.json", "{}"}, {index, index_of(map)}, {"x.safetensors", one_tensor("a", 1)}};
  };
  check_rows({
      {"nothing", {}, kNotFound, "neither config.json nor params.json"},
      {"no weights", {{"config.json", "{}"}}, kNotFound, "has no weights"},
      {"config no JSON", {{"config.json", "{,"}}, kCorrupt, "config.json: JSON line 1, column 2"},
      {"config a list", {{"config.json", "[]"}}, kCorrupt, "config.json: is no JSON object"},
      {"config empty", {{"config.json", ""}}, kCorrupt, "config.json: JSON line 1"},
      {"quantization unknown",
       {{"config.json", R"({"quantization_config":{"quant_method":"exl2"}})"}},
       kUnsupported,
       "quantization 'exl2'"},
      {"quantization in the text model",
       {{"config.json", R"({"text_config":{"quantization_config":{"quant_method":"aqlm"}}})"}},
       kUnsupported,
       "'aqlm'"},
      {"quantization in a file of its own",
       {{"config.json", "{}"}, {"quantize_config.json", R"({"bits":5})"}},
       kUnsupported,
       "'gptq' with 5 bits"},
      {"mlx", {{"config.json", R"({"quantization":{"bits":4}})"}}, kUnsupported, "'mlx'"},
      {"weights empty",
       {{"config.json", "{}"}, {"model.safetensors", ""}},
       kCorrupt,
       "model.safetensors: byte 0"},
      {"weights cut off",
       {{"config.json", "{}"}, {"model.safetensors", one_tensor("a", 1).substr(0, 70)}},
       kCorrupt,
       "tensor 'a': ends at 16"},
      {"index without a map",
       {{"config.json", "{}"}, {index, "{}"}},
       kCorrupt,
       index + ": has no 'weight_map'"},
      {"index with numbers", indexed(R"({"a":1})"), kCorrupt, index + ": tensor 'a' has no file"},
      {"missing part", indexed(R"({"a":"x.safetensors","b":"y.safetensors"})"), kNotFound,
       "y.safetensors: is missing"},
      {"missing tensor", indexed(R"({"a":"x.safetensors","b":"x.safetensors"})"), kCorrupt,
       "x.safetensors: tensor 'b' is missing"},
      {"path upwards", indexed(R"({"a":"../x.safetensors"})"), kUnsupported,
       "'../x.safetensors', which is not in the folder"},
      {"absolute path", indexed(R"({"a":"/etc/passwd"})"), kUnsupported, "'/etc/passwd'"},
      {"the folder itself", indexed(R"({"a":"."})"), kUnsupported, "'.'"},
      {"folder above", indexed(R"({"a":".."})"), kUnsupported, "'..'"},
      {"name with a zero", indexed(R"({"a":"x\u0000y"})"), kUnsupported, "'x\\x00y'"},
      {"pickle with a canary",
       {{"config.json", "{}"}, {"pytorch_model.bin", torch_file("cos\nsystem\n.", {})}},
       kUnsupported,
       "asks for 'os.system'"},
      {"legacy PyTorch",
       {{"config.json", "{}"}, {"pytorch_model.bin", "\x80\x02\x8a\nl\xfc\x9c"}},
       kUnsupported,
       "from before version 1.6"},
  });
}

TEST_CASE("links may lead into the cache's blobs and nowhere else out of the folder") {
  namespace fs = std::filesystem;
  TemporaryFolder cache;
  const fs::path folder = cache.path() / "models--o--n" / "snapshots" / "abc";
  fs::create_directories(folder);
  cache.write("models--o--n/blobs/1234", one_tensor("a", 1));
  cache.write("secret", one_tensor("a", 2));
  cache.write("models--o--n/snapshots/abc/config.json", "{}");
  const auto link = [&](const fs::path& target) {
    fs::remove(folder / "model.safetensors");
    fs::create_symlink(target, folder / "model.safetensors");
    return open_weight_file(folder);
  };
  CHECK(link("../../blobs/1234"));
  const auto out = link("../../../secret");
  REQUIRE(!out);
  CHECK(out.error().message.find("a link that leads out of the folder") != std::string::npos);
  CHECK(!link(cache.path() / "secret"));
  CHECK(link("nowhere").error().kind == ErrorKind::kNotFound);
  fs::create_directory_symlink(folder,
                               cache.path() / "alias");  // the folder itself may be named by a link
  cache.write("models--o--n/snapshots/abc/y", one_tensor("a", 3));
  CHECK(link("y"));
  CHECK(open_weight_file(cache.path() / "alias"));
}

TEST_CASE("a Meta folder is shown as Hugging Face's would be") {
  for (const int n_parts : {1, 2}) {
    CAPTURE(n_parts);
    TemporaryFolder folder;
    folder.write("params.json", kParams);
    for (int i = 0; i < n_parts; ++i)
      folder.write("consolidated.0" + std::to_string(i) + ".pth",
                   meta_part(n_parts, 100.0f * static_cast<float>(i)));
    const auto model = open_weight_file(folder.path());
    REQUIRE_MESSAGE(model, model.error().message);
    CHECK((*model)->container() == "meta");
    CHECK((*model)->tensors().size() == 12);
    const Json& config = *(*model)->config();
    CHECK(config["architectures"][0] == "LlamaForCausalLM");
    CHECK(config["vocab_size"] == 3);
    CHECK(config["intermediate_size"] == 12);
    CHECK(config["num_key_value_heads"] == 1);
    const TensorView& q = *(*model)->find("model.layers.0.self_attn.q_proj.weight");
    CHECK(to_string(q.shape) == "[8, 8]");
    std::vector<float> values(64);
    decode_rows(q, 0, 8, values.data());
    std::vector<float> rows;  // pairs (0 1) (2 3) of a head become 0 2 1 3
    for (size_t r = 0; r < 8; ++r) rows.push_back(values[r * 8]);
    if (n_parts == 1)
      CHECK(rows == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
    else
      CHECK(rows == std::vector<float>{0, 2, 1, 3, 100, 102, 101, 103});
    const TensorView& down = *(*model)->find("model.layers.0.mlp.down_proj.weight");
    CHECK(to_string(down.shape) == "[8, 12]");
    decode_rows(down, 3, 1, values.data());
    CHECK(values[5] == 3);
    CHECK(values[6] == (n_parts == 1 ? 3.0f : 103.0f));
    CHECK(to_string((*model)->find("model.embed_tokens.weight")->shape) == "[3, 8]");
    CHECK((*model)->find("model.norm.weight")->decoder == nullptr);
  }
}

TEST_CASE("damaged Meta folders are refused, naming file or tensor") {
  using enum ErrorKind;
  const auto with = [](std::string_view params, std::string part0, std::string part1 = {}) {
    std::vector<std::pair<std::string, std::string>> files{
        {"params.json", std::string(params)}, {"consolidated.00.pth", std::move(part0)}};
    if (!part1.empty()) files.emplace_back("consolidated.01.pth", std::move(part1));
    return files;
  };
  const std::string whole = meta_part(1, 0);
  check_rows({
      {"no part", {{"params.json", std::string(kParams)}}, kNotFound, "no consolidated.00.pth"},
      {"a part missing",
       {{"params.json", std::string(kParams)}, {"consolidated.01.pth", meta_part(2, 0)}},
       kNotFound,
       "consolidated.00.pth: is missing"},
      {"a size missing", with(R"({"dim":8,"n_layers":1})", whole), kCorrupt,
       "params.json: 'n_heads' is missing"},
      {"a size of 0", with(R"({"dim":0,"n_layers":1,"n_heads":2})", whole), kCorrupt, "'dim' is 0"},
      {"a size of 2^60", with(R"({"dim":1152921504606846976,"n_layers":1,"n_heads":2})", whole),
       kCorrupt, "'dim' is 1152921504606846976"},
      {"sizes that do not fit", with(R"({"dim":8,"n_layers":1,"n_heads":3})", whole), kCorrupt,
       "do not fit together"},
      {"experts", with(R"({"dim":8,"moe":{"num_experts":8}})", whole), kUnsupported, "'moe'"},
      {"a layer too many", with(R"({"dim":8,"n_layers":2,"n_heads":2,"n_kv_heads":1})", whole),
       kCorrupt, "'layers.1.attention.wq.weight' is missing"},
      {"other heads", with(R"({"dim":8,"n_layers":1,"n_heads":2,"n_kv_heads":2})", whole), kCorrupt,
       "'layers.0.attention.wk.weight': shape [4, 8], expected 8 rows"},
      {"parts of different sizes", with(kParams, meta_part(1, 0), meta_part(2, 0)), kCorrupt,
       "do not fit together"},
      {"part cut off", with(kParams, whole.substr(0, whole.size() / 2)), kCorrupt,
       "consolidated.00.pth: no end of a zip archive"},
  });
}

TEST_CASE("JSON files of a folder have a budget") {
  TemporaryFolder folder;
  folder.write("big.json", "{}");
  CHECK(read_json_in_folder(folder.path(), "big.json"));
  std::filesystem::resize_file(folder.path() / "big.json", kMaxConfigBytes + 1);
  const auto over = read_json_in_folder(folder.path(), "big.json");
  REQUIRE(!over);
  CHECK(over.error().message.find("more than 268435456") != std::string::npos);
}
