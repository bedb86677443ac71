// config.json as strangers write it: every key of every family with values of the wrong kind and
// size.
#include <doctest/doctest.h>

#include <cmath>

#include "core/base/json.h"
#include "core/models/architecture.h"
#include "core/models/folder_config.h"
#include "core/models/rope_scaling.h"

using namespace nibble;

namespace {

Result<Hparams> read(const Json& config) {
  NIBBLE_TRY(const auto folder, read_folder_config(config));
  NIBBLE_TRY(const Hparams h, folder.architecture->read_hparams({folder.metadata, nullptr}));
  for (const TensorSpec& spec : folder.architecture->tensors(h))
    if (spec.shape.n_elements() < 0)
      return corrupt("'{}' has a shape that overflows", spec.gguf_name);
  for (int i = 0; i < h.n_layer; ++i) folder.architecture->block(h, i);
  return h;
}

Json tiny(const Architecture& a, std::string_view text) {
  Json config = *parse_json(text);
  config["architectures"] = {a.hf_classes[0]};
  return config;
}

const char* const kOddValues[] = {
    "null",       "true", "\"x\"",        "-1",          "0",          "1.5",   "1e300",
    "2147483648", "[]",   "{}",           "[[[1]], {}]", "[1, \"x\"]", "-1e19", "4294967297.0",
    "16385",      "3",    "[null, 1e300]"};

}  // namespace

TEST_CASE("a config with one odd value is read or refused") {
  int n_refused = 0;
  for (const Architecture* a : architectures())
    for (const std::string_view text : a->tiny) {
      const Json config = tiny(*a, text);
      REQUIRE_MESSAGE(read(config).has_value(), text);
      for (const auto& [key, value] : config.items())
        for (const char* odd : kOddValues) {
          Json changed = config;
          changed[key] = *parse_json(odd);
          const auto h = read(changed);
          n_refused += !h.has_value();
          if (!h) CHECK_FALSE(h.error().message.empty());
        }
    }
  CHECK(n_refused > 500);
}

TEST_CASE("what no family runs is refused by name") {
  const auto fault = [](const char* text) {
    const auto read = read_folder_config(*parse_json(text));
    return read ? "" : read.error().message;
  };
  CHECK(fault(R"({"architectures": ["MambaForCausalLM"]})") ==
        "config.json: architecture 'MambaForCausalLM' is not built in");
  CHECK(fault("[]") == "config.json: not an object");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "hidden_act": "mish"})") ==
        "config.json: activation 'mish' is not one nibble knows");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "rope_scaling": {"type": "pi"}})") ==
        "config.json: rope scaling 'pi' is not one nibble knows");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": "wide"})") ==
        "config.json: key 'hidden_size' is no number");
}

TEST_CASE("an odd number of rotated values is not built in, which is no damage") {
  const auto h = read(*parse_json(
      R"({"architectures": ["GPTNeoXForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
          "num_attention_heads": 4, "num_hidden_layers": 2, "rotary_pct": 0.32})"));
  REQUIRE_FALSE(h.has_value());
  CHECK(h.error().kind == ErrorKind::kUnsupported);
  CHECK(h.error().message ==
        "key 'gptneox.rope.dimension_count': 5 rotated values of a head, expected an even number");
}

TEST_CASE("llama3's factors keep short waves and stretch long ones") {
  RopeHparams rope;
  rope.base = 500000;
  rope.n_rot = 128;
  rope.scaling = RopeScaling::kLlama3;
  rope.factor = 8;
  rope.n_ctx_orig = 8192;
  const auto factors = llama3_factors(rope);
  REQUIRE(factors.size() == 64);
  CHECK(factors.front() == 1);
  CHECK(factors.back() == 8);
  for (size_t i = 1; i < factors.size(); ++i) CHECK(factors[i] >= factors[i - 1]);
}
