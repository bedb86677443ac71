// Model folders from strangers: refused before any work in one line, and nothing in them runs.
#include <doctest/doctest.h>

#include <sstream>

#include "core/base/json.h"
#include "core/models/folder_config.h"
#include "tests/cli/program.h"
#include "tests/formats/checkpoint_bytes.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr std::string_view kConfig =
    R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 8, "intermediate_size": 12,
        "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 600,
        "max_position_embeddings": 64, "auto_map": {"AutoConfig": "configuration_evil.Evil",
        "AutoModelForCausalLM": "modeling_evil.Evil"}})";
constexpr std::string_view kTokenizer =
    R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Fuse"}, "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2},
        "merges": ["a b"]}})";

// All tensors of the family that the config asks for, filled with small numbers.
std::string weights_for(std::string_view config, std::string_view without = {}) {
  const auto folder = read_folder_config(*parse_json(config));
  REQUIRE(folder);
  const auto h = folder->architecture->read_hparams({folder->metadata, nullptr});
  REQUIRE(h);
  Json header = Json::object();
  GgufBytes data;
  size_t at = 0;
  for (const TensorSpec& spec : folder->architecture->tensors(*h)) {
    const std::string name = spec.hf_name.substr(0, spec.hf_name.find('|'));
    const bool bias = name.ends_with(".bias");
    if (name.empty() || name == without || bias) continue;
    const auto n = static_cast<size_t>(spec.shape.n_elements());
    for (size_t i = 0; i < n; ++i) data.value(0.01f * static_cast<float>(i % 7));
    std::vector<int64_t> shape(spec.shape.dim.begin(), spec.shape.dim.begin() + spec.shape.n_dims);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, at + 4 * n}}};
    at += 4 * n;
  }
  return safetensors(header.dump(), data.str());
}

void write_good(const TemporaryFolder& folder) {
  folder.write("config.json", kConfig);
  folder.write("model.safetensors", weights_for(kConfig));
  folder.write("tokenizer.json", kTokenizer);
}

std::string changed(std::string_view from, std::string_view to) {
  std::string config(kConfig);
  config.replace(config.find(from), from.size(), to);
  return config;
}

struct Row {
  const char* what;
  std::vector<std::pair<std::string, std::string>> files;  // in place of the good ones
  const char* words;
};

void check_refused(const std::filesystem::path& folder, const char* words) {
  for (const Arguments& command : {Arguments{"run", folder, "-p", "ab", "-n", "1"},
                                   {"eval", folder, "--token-ids", "1,2", "--greedy", "1"},
                                   {"bench", folder, "-p", "1", "-n", "1"}}) {
    CAPTURE(command[0]);
    const Ended end = run_program(command);
    CAPTURE(end.err);
    CHECK(end.exit_code == 3);
    CHECK(end.out.empty());
    CHECK(end.err.starts_with("nibble: "));
    CHECK(end.err.find('\n') == end.err.size() - 1);
    CHECK(end.err.size() < 10'000);
    CHECK(end.err.find(words) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a hostile folder exits 3 with one line that names what is wrong") {
  const std::string index = "model.safetensors.index.json";
  const std::string long_name(100'000, 'x');
  const std::string q = R"("quantization_config": {"quant_method": )";
  const Row rows[] = {
      {"unknown architecture",
       {{"config.json", changed("LlamaForCausalLM", "EvilForCausalLM")}},
       "architecture 'EvilForCausalLM' is not built in"},
      {"an architecture with a long name",
       {{"config.json", changed("LlamaForCausalLM", long_name)}},
       "xxx...' is not built in"},
      {"a kind of quantization with a long name",
       {{"config.json", changed("\"auto_map\"", q + "\"" + long_name + "\"}, \"auto_map\"")}},
       "xxx..."},
      {"no architecture", {{"config.json", "{}"}}, "architecture '' is not built in"},
      {"missing shard",
       {{index, R"({"weight_map": {"lm_head.weight": "model-00002.safetensors"}})"}},
       "model-00002.safetensors: is missing"},
      {"missing tensor",
       {{"model.safetensors", weights_for(kConfig, "model.layers.0.mlp.up_proj.weight")}},
       "'model.layers.0.mlp.up_proj.weight' is missing"},
      {"wrong shape",
       {{"config.json", changed("\"hidden_size\": 8", "\"hidden_size\": 12")}},
       "shape [600, 8], expected [600, 12]"},
      {"sizes that overflow",
       {{"config.json", changed("\"vocab_size\": 600", "\"vocab_size\": 99999999999")}},
       "vocab_size"},
      {"unknown quantization",
       {{"config.json", changed("\"auto_map\"", q + "\"evil\"}, \"auto_map\"")}},
       "quantization 'evil' is not read"},
      {"bitsandbytes",
       {{"config.json", changed("\"auto_map\"", q + "\"bitsandbytes\"}, \"auto_map\"")}},
       "quantization 'bitsandbytes' is not read"},
      {"pickle outside the list",
       {{"model.safetensors.index.json", R"({"weight_map": {"a": "evil.bin"}})"},
        {"evil.bin", torch_file("cos\nsystem\n(S'touch canary'\ntR.", {})}},
       "asks for 'os.system'"},
      {"path upwards",
       {{index, R"({"weight_map": {"a": "../../etc/passwd"}})"}},
       "'../../etc/passwd', which is not in the folder"},
      {"absolute path",
       {{index, R"({"weight_map": {"a": "/etc/passwd"}})"}},
       "'/etc/passwd', which is not in the folder"},
      {"config that nests", {{"config.json", std::string(100'000, '[')}}, "config.json"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const TemporaryFolder folder;
    write_good(folder);
    for (const auto& [name, bytes] : row.files) folder.write(name, bytes);
    check_refused(folder.path(), row.words);
    CHECK(!std::filesystem::exists("canary"));
  }
}

TEST_CASE("a link that leads out of the folder is refused, whichever file it is") {
  namespace fs = std::filesystem;
  const TemporaryFolder outside;
  const auto secret = outside.write("secret", "{\"chat_template\": \"secret\"}");
  for (const char* name :
       {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "generation_config.json", "chat_template.jinja"}) {
    CAPTURE(name);
    const TemporaryFolder folder;
    write_good(folder);
    fs::remove(folder.path() / name);
    fs::create_symlink(secret, folder.path() / name);
    const Ended end = run_program({"run", folder.path(), "-p", "ab", "-n", "1", "--quiet"});
    CAPTURE(end.err);
    CHECK(end.exit_code == 3);
    CHECK(end.err.find("a link that leads out of the folder") != std::string::npos);
    CHECK(end.err.find('\n') == end.err.size() - 1);
  }
}

TEST_CASE("no Python file of a folder is opened, nothing is executed, no socket is made") {
  if (run_shell("strace -V").exit_code != 0) {
    MESSAGE("skipped: strace is not installed");
    return;
  }
  const TemporaryFolder folder;
  write_good(folder);
  for (const char* name : {"modeling_evil.py", "configuration_evil.py", "tokenization_evil.py"})
    folder.write(name, "open('canary', 'w')");
  const std::string trace = folder.path() / "trace";
  for (const char* command :
       {"run '{}' -p ab -n 2 --raw", "eval '{}' --token-ids 1,2 --greedy 2", "inspect '{}'"}) {
    CAPTURE(command);
    const std::string line = fmt::format(fmt::runtime(command), folder.path().string());
    const Ended end = run_shell("strace -f -o '" + trace +
                                "' -e trace=open,openat,execve,network \"$nibble\" " + line);
    CAPTURE(end.err);
    CHECK(end.exit_code == 0);
    const std::string calls = folder.read("trace");
    CHECK(calls.find("config.json") != std::string::npos);
    CHECK(calls.find(".py") == std::string::npos);
    CHECK(calls.find("socket(") == std::string::npos);
    CHECK(calls.find("execve(") == calls.rfind("execve("));
  }
}
