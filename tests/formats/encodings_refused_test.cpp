// Quantizations told apart by their configuration; those not read, and damaged ones, refused by
// name.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "formats/encodings.h"
#include "tests/formats/raw_tensors.h"

using namespace nibble;
using tests::RawTensors;

namespace {
Result<Encoding> encoding(std::string_view quantization) {
  Json config = Json::object();
  config["quantization_config"] = *parse_json(quantization);
  return read_encoding(config);
}

constexpr auto kScaled = Encoding::Kind::kScaled;
constexpr auto kGptq = Encoding::Kind::kGptq;
constexpr auto kMxfp4 = Encoding::Kind::kMxfp4;
}  // namespace

TEST_CASE("quantizations are told apart, and those not read are refused by name") {
  CHECK(read_encoding(Json::object())->kind == Encoding::Kind::kPlain);
  CHECK(encoding(R"({"quant_method":"fp8","weight_block_size":[128,64]})")->block_cols == 64);
  CHECK(encoding(R"({"quant_method":"fbgemm_fp8"})")->kind == kScaled);
  CHECK(encoding(R"({"quant_method":"gptq","bits":4,"group_size":-1})")->gptq_zero_offset == 1);
  CHECK(encoding(R"({"quant_method":"gptq","bits":8,"checkpoint_format":"gptq_v2"})")
            ->gptq_zero_offset == 0);
  CHECK(
      encoding(R"({"quant_method":"awq","bits":4,"group_size":64,"version":"GEMM"})")->group_size ==
      64);
  CHECK(encoding(R"({"quant_method":"mxfp4"})")->kind == kMxfp4);
  using enum ErrorKind;
  struct Row {
    const char* config;
    ErrorKind kind;
    const char* words;
  };
  const Row rows[] = {
      {"{}", kUnsupported, "quantization ''"},
      {"7", kCorrupt, "no object"},
      {R"({"quant_method":"bitsandbytes"})", kUnsupported, "'bitsandbytes'"},
      {R"({"quant_method":"hqq"})", kUnsupported, "'hqq'"},
      {R"({"quant_method":"gptq","bits":5})", kUnsupported, "'gptq' with 5 bits"},
      {R"({"quant_method":"modelopt","quant_algo":"NVFP4"})", kUnsupported,
       "'modelopt' of the kind 'NVFP4'"},
      {R"({"quant_method":"gptq","checkpoint_format":"marlin"})", kUnsupported,
       "'gptq' in the format 'marlin'"},
      {R"({"quant_method":"gptq","bits":4,"group_size":0})", kCorrupt, "'group_size' is 0"},
      {R"({"quant_method":"gptq","bits":"4"})", kCorrupt, "'bits'"},
      {R"({"quant_method":"awq","w_bit":"4"})", kCorrupt, "'w_bit'"},
      {R"({"quant_method":"awq","w_bit":4,"q_group_size":64.5})", kCorrupt, "'q_group_size'"},
      {R"({"quant_method":"awq","version":"gemv"})", kUnsupported, "'awq' in the version 'gemv'"},
      {R"({"quant_method":"awq","zero_point":false})", kUnsupported, "without zero points"},
      {R"({"quant_method":"awq","bits":8})", kUnsupported, "'awq' with 8 bits"},
      {R"({"quant_method":"fp8","weight_block_size":[0,128]})", kCorrupt, "'weight_block_size'"},
      {R"({"quant_method":"fp8","weight_block_size":[128]})", kCorrupt, "'weight_block_size'"},
      {R"({"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized"})", kUnsupported,
       "'nvfp4-pack-quantized'"},
      {R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"g":{"weights":{"num_bits":3,"strategy":"group"}}}})",
       kUnsupported, "3 bits of the type 'int'"},
      {R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"g":{"weights":{"strategy":"tensor_group"}}}})",
       kUnsupported, "the strategy 'tensor_group'"},
      {R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"g":{"weights":{"strategy":"group","group_size":32}},"h":{"weights":{"strategy":"group"}}}})",
       kUnsupported, "groups that differ"},
      {R"({"quant_method":"compressed-tensors","format":"float-quantized"})", kCorrupt,
       "'config_groups'"},
      {R"({"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{"g":{"weights":{"strategy":"group"}}}})",
       kUnsupported, "the strategy 'group'"},
      {R"({"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"weights":{"strategy":"channel","symmetric":false}}}})",
       kUnsupported, "not symmetric"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.config);
    const auto result = encoding(row.config);
    REQUIRE(!result);
    CAPTURE(result.error().message);
    CHECK(result.error().kind == row.kind);
    CHECK(result.error().message.find(row.words) != std::string::npos);
  }
}

TEST_CASE("missing and misshapen parts of quantized tensors are named") {
  struct Row {
    Encoding encoding;
    RawTensors raw;
    const char* words;
  };
  const std::vector<uint8_t> ones(256, 0x38);
  const std::vector<uint32_t> words(64);
  const std::vector<uint16_t> halves(64, 0x4000);
  const auto fp8 = [&](std::initializer_list<int64_t> scale) {
    RawTensors raw;
    const int64_t n = tests::shape(scale).n_elements();
    raw.add("x.weight", "F8_E4M3", {16, 16}, ones)
        .add("x.weight_scale", "F32", scale, std::vector<float>(static_cast<size_t>(n)));
    return raw;
  };
  const auto gptq = [&](int64_t scale_groups, int64_t zero_cols, std::vector<int32_t> groups) {
    RawTensors raw;  // out 8, in 16, two groups
    raw.add("x.qweight", "I32", {2, 8}, std::vector<uint32_t>(16))
        .add("x.qzeros", "I32", {2, zero_cols}, words);
    raw.add("x.scales", "F16", {scale_groups, 8}, halves)
        .add("x.g_idx", "I32", {static_cast<int64_t>(groups.size())}, groups);
    return raw;
  };
  std::vector<int32_t> groups(16);
  std::vector<int32_t> beyond = groups, negative = groups;
  beyond[3] = 2;
  negative[15] = -1;
  const Encoding g{.kind = kGptq, .group_size = 8}, s{.kind = kScaled},
      b{.kind = kScaled, .block_rows = 8, .block_cols = 8};
  const Row rows[] = {
      {s, RawTensors().add("x.weight", "F8_E4M3", {16, 16}, ones), "'x.weight': its scales"},
      {s, fp8({2, 2}),
       "'x.weight_scale': F32 [2, 2], expected one scale, or one for each row of [16, 16]"},
      {s, fp8({17, 1}), "expected one scale, or one for each row"},
      {b, fp8({2, 3}), "one scale for each block of 8 x 8"},
      {b, fp8({16, 1}), "one scale for each block of 8 x 8"},
      {s, fp8({1}).add("x.weight_zero_point", "I8", {1}, std::vector<int8_t>{0}), "zero points"},
      {s,
       RawTensors()
           .add("x.weight", "F8_E4M3", {16, 16}, ones)
           .add("x.weight_scale", "I32", {1}, words),
       "'x.weight_scale': I32"},
      {g, RawTensors().add("x.qweight", "I32", {2, 8}, words), "'x.qzeros' is missing"},
      {g, RawTensors().add("x.qweight", "I32", {2, 8}, words).add("x.qzeros", "I32", {2, 1}, words),
       "'x.scales' is missing"},
      {g, gptq(3, 1, groups), "'x.scales': F16 [3, 8], expected F16 [2, 8]"},
      {g, gptq(2, 2, groups), "'x.qzeros': I32 [2, 2], expected I32 [2, 1]"},
      {g, gptq(2, 1, beyond), "'x.g_idx': element 3 is 2, expected 0..1"},
      {g, gptq(2, 1, negative), "'x.g_idx': element 15 is -1"},
      {g, gptq(2, 1, {0, 0}), "'x.g_idx': I32 [2], expected I32 [16]"},
      {g,
       RawTensors()
           .add("x.qweight", "I32", {2, 7}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "F16", {2, 7}, halves),
       "whole words"},
      {g,
       RawTensors()
           .add("x.qweight", "F32", {2, 8}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "F16", {2, 8}, halves),
       "'x.qweight': F32"},
      {g,
       RawTensors()
           .add("x.qweight", "I32", {2, 8}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "I32", {2, 8}, words),
       "'x.scales': I32"},
      {{.kind = kMxfp4},
       RawTensors().add("x_blocks", "U8", {2, 2, 16}, ones),
       "'x_scales' is missing"},
      {{.kind = kMxfp4},
       RawTensors().add("x_blocks", "U8", {2, 2, 15}, ones).add("x_scales", "U8", {2, 2}, ones),
       "'x_blocks': U8 [2, 2, 15]"},
      {{.kind = kMxfp4},
       RawTensors().add("x_blocks", "U8", {2, 2, 16}, ones).add("x_scales", "U8", {2, 3}, ones),
       "'x_scales': U8 [2, 3], expected U8 [2, 2]"},
  };
  for (const Row& row : rows) {
    const auto made = make_logical(row.raw.tensors, row.encoding);
    CAPTURE(row.words);
    REQUIRE(!made);
    CHECK_MESSAGE(made.error().message.find(row.words) != std::string::npos, made.error().message);
  }
}
