// Quantized checkpoints: what is read, what is refused by name, and values worked out by hand.
#include "formats/encodings.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/base/json.h"
#include "formats/checksum.h"
#include "formats/weight_file.h"
#include "tests/test_data.h"

using namespace nibble;

namespace {
Shape shape(std::initializer_list<int64_t> dims) {
  Shape s;
  for (const int64_t d : dims) s.dim[static_cast<size_t>(s.n_dims++)] = d;
  return s;
}

// Tensors and the memory they borrow.
struct Raw {
  std::vector<std::shared_ptr<std::vector<std::byte>>> memory;  // shared with copies
  std::vector<RawTensor> tensors;

  template <class T>
  Raw& add(std::string name, std::string_view type, std::initializer_list<int64_t> dims,
           const std::vector<T>& values) {
    auto& bytes =
        *memory.emplace_back(std::make_shared<std::vector<std::byte>>(values.size() * sizeof(T)));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    tensors.push_back({std::move(name), find_stored_type(type), shape(dims), bytes});
    return *this;
  }
};

std::vector<float> values(const TensorView& t) {
  std::vector<float> out(static_cast<size_t>(t.shape.n_elements()));
  decode_rows(t, 0, t.shape.n_rows(), out.data());
  return out;
}

Result<Encoding> encoding(std::string_view quantization) {
  Json config = Json::object();
  config["quantization_config"] = *parse_json(quantization);
  return read_encoding(config);
}

constexpr auto kScaled = Encoding::Kind::kScaled;
constexpr auto kGptq = Encoding::Kind::kGptq;
constexpr auto kAwq = Encoding::Kind::kAwq;
constexpr auto kMxfp4 = Encoding::Kind::kMxfp4;
constexpr uint16_t kHalf2 = 0x4000, kHalf3 = 0x4200;  // 2.0 and 3.0 as F16
}  // namespace

TEST_CASE("FP8 with one scale for each block, smaller blocks at the edges") {
  Raw raw;
  raw.add<uint8_t>("x.weight", "F8_E4M3", {3, 5}, std::vector<uint8_t>(15, 0x38));  // 1.0
  raw.add<float>("x.weight_scale_inv", "F32", {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto made = make_logical(raw.tensors, {.kind = kScaled, .block_rows = 2, .block_cols = 2});
  REQUIRE(made);
  REQUIRE(made->views.size() == 1);
  CHECK(made->views[0].name == "x.weight");
  CHECK(made->views[0].format->name == "f8_e4m3");
  CHECK(values(made->views[0]) == std::vector<float>{1, 1, 2, 2, 3, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6});
  std::vector<float> last(5);
  decode_rows(made->views[0], 2, 1, last.data());
  CHECK(last == std::vector<float>{4, 4, 5, 5, 6});
}

TEST_CASE("FP8 and int8 with one scale, one for each row, one for each matrix of a stack") {
  Raw raw;
  raw.add<uint8_t>("a.weight", "F8_E5M2", {2, 2}, {0x3c, 0x40, 0x44, 0xbc});  // 1 2 4 -1
  raw.add<uint16_t>("a.weight_scale", "BF16", {1}, {0x3f00});                 // 0.5
  raw.add<uint16_t>("a.input_scale", "BF16", {1}, {0x3f80});
  raw.add<int8_t>("b.weight", "I8", {2, 2}, {1, 2, 3, -4});
  raw.add<float>("b.weight_scale", "F32", {2, 1}, {10, 100});
  raw.add<uint8_t>("c", "F8_E4M3", {2, 2, 1}, {0x38, 0x38, 0x38, 0x38});
  raw.add<float>("c_scale", "F32", {2, 2, 1}, {1, 2, 3, 4});
  raw.add<float>("norm.weight", "F32", {1}, {7});
  const auto made = make_logical(raw.tensors, {.kind = kScaled});
  REQUIRE_MESSAGE(made, made.error().message);
  REQUIRE(made->views.size() == 4);
  CHECK(values(made->views[0]) == std::vector<float>{0.5f, 1, 2, -0.5f});
  CHECK(values(made->views[1]) == std::vector<float>{10, 20, 300, -400});
  CHECK(values(made->views[2]) == std::vector<float>{1, 2, 3, 4});
  CHECK(made->views[3].decoder == nullptr);
}

TEST_CASE("GPTQ: codes along the inputs, zeros along the outputs, groups in any order") {
  // out 8, in 8; codes of output o: input i holds (i + o) % 16
  std::vector<uint32_t> codes(8);
  for (uint32_t o = 0; o < 8; ++o)
    for (uint32_t i = 0; i < 8; ++i) codes[o] |= ((i + o) % 16) << 4 * i;
  Raw raw;
  raw.add<uint32_t>("x.qweight", "I32", {1, 8}, codes);
  raw.add<uint32_t>("x.qzeros", "I32", {2, 1}, {0x76543210, 0x11111111});
  std::vector<uint16_t> scales(8, kHalf2);
  scales.insert(scales.end(), 8, kHalf3);
  raw.add<uint16_t>("x.scales", "F16", {2, 8}, scales);
  raw.add<int32_t>("x.g_idx", "I32", {8}, {0, 1, 0, 1, 0, 1, 0, 1});
  for (const int offset : {1, 0}) {
    const auto made =
        make_logical(raw.tensors, {.kind = kGptq, .group_size = 4, .gptq_zero_offset = offset});
    REQUIRE_MESSAGE(made, made.error().message);
    REQUIRE(made->views.size() == 1);
    CHECK(made->views[0].name == "x.weight");
    CHECK(made->views[0].bytes.size() == made->views[0].row_bytes() * 8);
    const auto all = values(made->views[0]);
    for (int o = 0; o < 8; ++o)
      for (int i = 0; i < 8; ++i) {
        const int zero = (i % 2 ? 1 : o) + offset;
        CHECK(all[static_cast<size_t>(o * 8 + i)] ==
              (i % 2 ? 3.0f : 2.0f) * static_cast<float>((i + o) % 16 - zero));
      }
  }
}

TEST_CASE("GPTQ with two and three bits: codes that stand in two words") {
  // out 32, in 32, one group; code of output o, input i: (i * 5 + o) % 2^bits, zero of o: o %
  // 2^bits
  for (const int bits : {2, 3}) {
    const uint32_t n_values = 1u << bits;
    const auto stream = [&](auto&& code_of) {
      std::vector<uint32_t> words(static_cast<size_t>(bits));
      for (uint32_t k = 0; k < 32; ++k)
        for (int b = 0; b < bits; ++b) {
          const uint32_t at = k * static_cast<uint32_t>(bits) + static_cast<uint32_t>(b);
          words[at / 32] |= (code_of(k) % n_values >> b & 1u) << at % 32;
        }
      return words;
    };
    std::vector<uint32_t> codes(static_cast<size_t>(bits) * 32);
    for (uint32_t o = 0; o < 32; ++o) {
      const auto words = stream([&](uint32_t i) { return i * 5 + o; });
      for (size_t w = 0; w < words.size(); ++w) codes[w * 32 + o] = words[w];
    }
    Raw raw;
    raw.add<uint32_t>("x.qweight", "I32", {bits, 32}, codes);
    raw.add<uint32_t>("x.qzeros", "I32", {1, bits}, stream([](uint32_t o) { return o; }));
    raw.add<uint16_t>("x.scales", "F16", {1, 32}, std::vector<uint16_t>(32, kHalf2));
    const auto made = make_logical(raw.tensors, {.kind = kGptq, .bits = bits, .group_size = -1});
    REQUIRE_MESSAGE(made, made.error().message);
    CHECK(to_string(made->views[0].shape) == "[32, 32]");
    CHECK(made->views[0].bytes.size() == made->views[0].row_bytes() * 32);
    const auto all = values(made->views[0]);
    const int n = static_cast<int>(n_values);
    for (int o = 0; o < 32; ++o)
      for (int i = 0; i < 32; ++i)
        CHECK(all[static_cast<size_t>(o * 32 + i)] ==
              2.0f * static_cast<float>((i * 5 + o) % n - o % n - 1));
  }
}

TEST_CASE("compressed-tensors, packed: codes along the inputs, zeros along the outputs") {
  // out 9, in 16, groups of four inputs; code of output o, input i: (i + 3 o) % 16
  std::vector<uint32_t> codes(9 * 2);
  for (uint32_t o = 0; o < 9; ++o)
    for (uint32_t i = 0; i < 16; ++i) codes[o * 2 + i / 8] |= ((i + 3 * o) % 16) << 4 * (i % 8);
  std::vector<float> scales;
  for (int i = 0; i < 36; ++i) scales.push_back(static_cast<float>(1 + i));
  Raw raw;
  raw.add<uint32_t>("x.weight_packed", "I32", {9, 2}, codes);
  raw.add<float>("x.weight_scale", "F32", {9, 4}, scales);
  raw.add<int64_t>("x.weight_shape", "I64", {2}, {9, 16});
  const Encoding e{.kind = Encoding::Kind::kRowPacked, .bits = 4, .group_size = 4};
  const auto check = [&](const Raw& given, auto&& zero_of, auto&& group_of) {
    const auto made = make_logical(given.tensors, e);
    REQUIRE_MESSAGE(made, made.error().message);
    REQUIRE(made->views.size() == 1);
    CHECK(made->views[0].name == "x.weight");
    const auto all = values(made->views[0]);
    for (int o = 0; o < 9; ++o)
      for (int i = 0; i < 16; ++i)
        CHECK(all[static_cast<size_t>(o * 16 + i)] ==
              static_cast<float>((1 + o * 4 + group_of(i)) *
                                 ((i + 3 * o) % 16 - zero_of(o, group_of(i)))));
  };
  check(
      raw, [](int, int) { return 8; }, [](int i) { return i / 4; });
  Raw uneven = raw;  // zero of output o in group g: (o + g) % 16
  std::vector<uint32_t> zeros(2 * 4);
  for (uint32_t o = 0; o < 9; ++o)
    for (uint32_t g = 0; g < 4; ++g) zeros[o / 8 * 4 + g] |= ((o + g) % 16) << 4 * (o % 8);
  uneven.add<uint32_t>("x.weight_zero_point", "I32", {2, 4}, zeros);
  check(
      uneven, [](int o, int g) { return (o + g) % 16; }, [](int i) { return i / 4; });
  raw.add<int32_t>("x.weight_g_idx", "I32", {16}, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3});
  check(
      raw, [](int, int) { return 8; }, [](int i) { return i % 4; });
}

TEST_CASE("a packed tensor whose parts do not fit is named") {
  const Encoding e{.kind = Encoding::Kind::kRowPacked, .bits = 4, .group_size = 4};
  const auto fault = [&](std::initializer_list<int64_t> shape, int64_t n_cols, bool with_scale) {
    Raw raw;
    raw.add<uint32_t>("x.weight_packed", "I32", {2, 1}, {0, 0});
    if (with_scale) raw.add<float>("x.weight_scale", "F32", shape, std::vector<float>(4));
    raw.add<int64_t>("x.weight_shape", "I64", {2}, {2, n_cols});
    const auto made = make_logical(raw.tensors, e);
    return made ? "" : made.error().message;
  };
  CHECK(fault({2, 2}, 8, true).empty());
  CHECK(fault({2, 2}, 8, false) == "tensor 'x.weight_scale' is missing");
  CHECK(fault({4, 1}, 8, true) == "tensor 'x.weight_scale': F32 [4, 1], expected F32 [2, 2]");
  CHECK(fault({2, 2}, 9, true) ==
        "tensor 'x.weight_packed': I32 [2, 1], expected whole words of [2, 9]");
  CHECK(fault({2, 2}, int64_t{1} << 40, true) ==
        "tensor 'x.weight_shape': [2, 1099511627776], expected 2 rows");
}

TEST_CASE("AWQ: eight outputs in a word, in its own order") {
  // out 8, in 2, one group for each input; nibble k holds output {0 2 4 6 1 3 5 7}[k]
  Raw raw;
  raw.add<uint32_t>("x.qweight", "I32", {2, 1}, {0x76543210, 0xfedcba98});
  raw.add<uint32_t>("x.qzeros", "I32", {2, 1}, {0x11111111, 0x80000000});
  std::vector<uint16_t> scales(8, kHalf2);
  scales.insert(scales.end(), 8, kHalf3);
  raw.add<uint16_t>("x.scales", "F16", {2, 8}, scales);
  const auto made = make_logical(raw.tensors, {.kind = kAwq, .group_size = 1});
  REQUIRE_MESSAGE(made, made.error().message);
  constexpr int kOutput[] = {0, 2, 4, 6, 1, 3, 5, 7};
  const auto all = values(made->views[0]);
  for (int k = 0; k < 8; ++k) {
    CHECK(all[static_cast<size_t>(kOutput[k] * 2)] == 2.0f * static_cast<float>(k - 1));
    CHECK(all[static_cast<size_t>(kOutput[k] * 2 + 1)] ==
          3.0f * static_cast<float>(8 + k - (k == 7 ? 8 : 0)));
  }
}

TEST_CASE("MXFP4: the low half of a byte first, scales are powers of two") {
  std::vector<uint8_t> blocks(16, 0x21);
  blocks[15] = 0xf9;
  Raw raw;
  raw.add<uint8_t>("x_blocks", "U8", {1, 1, 1, 16}, blocks)
      .add<uint8_t>("x_scales", "U8", {1, 1, 1}, {129});
  const auto made = make_logical(raw.tensors, {.kind = kMxfp4});
  REQUIRE_MESSAGE(made, made.error().message);
  CHECK(to_string(made->views[0].shape) == "[1, 1, 32]");
  const auto all = values(made->views[0]);
  CHECK(all[0] == 2.0f);
  CHECK(all[1] == 4.0f);
  CHECK(all[30] == -2.0f);
  CHECK(all[31] == -24.0f);
}

TEST_CASE(
    "types without kernels decode by themselves, and nothing is taken for a scale without a "
    "reason") {
  Raw raw;
  raw.add<double>("a", "F64", {2}, {0.1, -3})
      .add<uint8_t>("b", "F8_E4M3", {1}, {0x38})
      .add<float>("b_scale", "F32", {1}, {9});
  const auto made = make_logical(raw.tensors, {});
  REQUIRE(made);
  REQUIRE(made->views.size() == 3);
  CHECK(values(made->views[0]) == std::vector<float>{0.1f, -3});
  CHECK(values(made->views[1]) == std::vector<float>{1});
}

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
    Raw raw;
    const char* words;
  };
  const std::vector<uint8_t> ones(256, 0x38);
  const std::vector<uint32_t> words(64);
  const std::vector<uint16_t> halves(64, kHalf2);
  const auto fp8 = [&](std::initializer_list<int64_t> scale) {
    Raw raw;
    const int64_t n = shape(scale).n_elements();
    raw.add("x.weight", "F8_E4M3", {16, 16}, ones)
        .add("x.weight_scale", "F32", scale, std::vector<float>(static_cast<size_t>(n)));
    return raw;
  };
  const auto gptq = [&](int64_t scale_groups, int64_t zero_cols, std::vector<int32_t> groups) {
    Raw raw;  // out 8, in 16, two groups
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
      {s, Raw().add("x.weight", "F8_E4M3", {16, 16}, ones), "'x.weight': its scales"},
      {s, fp8({2, 2}),
       "'x.weight_scale': F32 [2, 2], expected one scale, or one for each row of [16, 16]"},
      {s, fp8({17, 1}), "expected one scale, or one for each row"},
      {b, fp8({2, 3}), "one scale for each block of 8 x 8"},
      {b, fp8({16, 1}), "one scale for each block of 8 x 8"},
      {s, fp8({1}).add("x.weight_zero_point", "I8", {1}, std::vector<int8_t>{0}), "zero points"},
      {s, Raw().add("x.weight", "F8_E4M3", {16, 16}, ones).add("x.weight_scale", "I32", {1}, words),
       "'x.weight_scale': I32"},
      {g, Raw().add("x.qweight", "I32", {2, 8}, words), "'x.qzeros' is missing"},
      {g, Raw().add("x.qweight", "I32", {2, 8}, words).add("x.qzeros", "I32", {2, 1}, words),
       "'x.scales' is missing"},
      {g, gptq(3, 1, groups), "'x.scales': F16 [3, 8], expected F16 [2, 8]"},
      {g, gptq(2, 2, groups), "'x.qzeros': I32 [2, 2], expected I32 [2, 1]"},
      {g, gptq(2, 1, beyond), "'x.g_idx': element 3 is 2, expected 0..1"},
      {g, gptq(2, 1, negative), "'x.g_idx': element 15 is -1"},
      {g, gptq(2, 1, {0, 0}), "'x.g_idx': I32 [2], expected I32 [16]"},
      {g,
       Raw()
           .add("x.qweight", "I32", {2, 7}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "F16", {2, 7}, halves),
       "whole words"},
      {g,
       Raw()
           .add("x.qweight", "F32", {2, 8}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "F16", {2, 8}, halves),
       "'x.qweight': F32"},
      {g,
       Raw()
           .add("x.qweight", "I32", {2, 8}, words)
           .add("x.qzeros", "I32", {2, 1}, words)
           .add("x.scales", "I32", {2, 8}, words),
       "'x.scales': I32"},
      {{.kind = kMxfp4}, Raw().add("x_blocks", "U8", {2, 2, 16}, ones), "'x_scales' is missing"},
      {{.kind = kMxfp4},
       Raw().add("x_blocks", "U8", {2, 2, 15}, ones).add("x_scales", "U8", {2, 2}, ones),
       "'x_blocks': U8 [2, 2, 15]"},
      {{.kind = kMxfp4},
       Raw().add("x_blocks", "U8", {2, 2, 16}, ones).add("x_scales", "U8", {2, 3}, ones),
       "'x_scales': U8 [2, 3], expected U8 [2, 2]"},
  };
  for (const Row& row : rows) {
    const auto made = make_logical(row.raw.tensors, row.encoding);
    CAPTURE(row.words);
    REQUIRE(!made);
    CHECK_MESSAGE(made.error().message.find(row.words) != std::string::npos, made.error().message);
  }
}

TEST_CASE("checkpoints of the kits decode as independent code decodes them") {
  // XXH3-128 over each tensor's name and values as f32, in order; numpy's decoding of the same
  // files gives the same values
  struct Row {
    const char* folder;
    const char* digest;
  };
  const Row rows[] = {
      {"source-models/awq_int4", "4510d9b7157f437e09c7f13b1c3bd4da"},
      {"source-models/fp8_block_qwen3", "76f92399944963bb4175f4b26d42d38d"},
      {"source-models/fp8_channel", "5af356b48634209803f82e9f9b338a2a"},
      {"source-models/fp8_deepseek", "fd9b92ca4ab9b4b50ebcf15278ffce45"},
      {"source-models/fp8_tensor", "74f6b882be24e0fca831ad560a1431ab"},
      {"source-models/gptq_int4", "57f814bb8c40e0dafbd16b8901b9fe1c"},
      {"source-models/gptq_v2", "ce6a98a28bbaf610b8752f840ac02741"},
      {"source-models/meta_llama2", "ca387c9e50d4a05975b3c3acf0c32998"},
      {"source-models/meta_llama3", "f913340ad29797970548e1a34e15799a"},
      {"source-models/meta_llama3_mp2", "9d0fbfea310a3060a44619e1d1f3b982"},
      {"source-models/safetensors_f64_mixed", "0c29fca701ec625cee43791016c77756"},
      {"reference-models/gpt_oss_mxfp4", "f2044391a9c97e06036a5f633ad1e92a"},
      {"reference-models/falcon_7b", "34b220a82109cbc053c83c44189676f3"},
      {"reference-models/gpt2", "82c25d74c8a992b0d5d7d7b7fea5ebbc"},
      {"reference-models/llama3", "28539ada2eb7ea35f66459090ce77b51"},
  };
  NIBBLE_NEED_DATA("source-models");
  NIBBLE_NEED_DATA("reference-models");
  for (const Row& row : rows) {
    CAPTURE(row.folder);
    const auto model = open_weight_file(tests::data_dir() / row.folder);
    REQUIRE_MESSAGE(model, model.error().message);
    Xxh3Stream digest;
    for (const TensorView& t : (*model)->tensors()) {
      digest.update(std::as_bytes(std::span(t.name)));
      const auto all = values(t);
      digest.update(std::as_bytes(std::span(all)));
    }
    CHECK(digest.digest() == row.digest);
  }
}
