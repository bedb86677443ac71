// Quantized checkpoints: values worked out by hand, and those of the kits.
#include "formats/encodings.h"

#include <doctest/doctest.h>

#include "formats/checksum.h"
#include "formats/weight_file.h"
#include "tests/formats/raw_tensors.h"
#include "tests/test_data.h"

using namespace nibble;
using tests::RawTensors;

namespace {
std::vector<float> values(const TensorView& t) {
  std::vector<float> out(static_cast<size_t>(t.shape.n_elements()));
  decode_rows(t, 0, t.shape.n_rows(), out.data());
  return out;
}

constexpr auto kScaled = Encoding::Kind::kScaled;
constexpr auto kGptq = Encoding::Kind::kGptq;
constexpr auto kAwq = Encoding::Kind::kAwq;
constexpr auto kMxfp4 = Encoding::Kind::kMxfp4;
constexpr uint16_t kHalf2 = 0x4000, kHalf3 = 0x4200;  // 2.0 and 3.0 as F16
}  // namespace

TEST_CASE("shapes of MXFP4 tensors equal those made otherwise") {
  const RawTensors raw = RawTensors()
                             .add("x_blocks", "U8", {3, 2, 16}, std::vector<uint8_t>(96))
                             .add("x_scales", "U8", {3, 2}, std::vector<uint8_t>(6));
  const auto made = make_logical(raw.tensors, {.kind = Encoding::Kind::kMxfp4});
  REQUIRE_MESSAGE(made, made.error().message);
  CHECK((made->views[0].shape == tests::shape({3, 64})));
}

TEST_CASE("FP8 with one scale for each block, smaller blocks at the edges") {
  RawTensors raw;
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
  RawTensors raw;
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
  RawTensors raw;
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
    RawTensors raw;
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
  RawTensors raw;
  raw.add<uint32_t>("x.weight_packed", "I32", {9, 2}, codes);
  raw.add<float>("x.weight_scale", "F32", {9, 4}, scales);
  raw.add<int64_t>("x.weight_shape", "I64", {2}, {9, 16});
  const Encoding e{.kind = Encoding::Kind::kRowPacked, .bits = 4, .group_size = 4};
  const auto check = [&](const RawTensors& given, auto&& zero_of, auto&& group_of) {
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
  RawTensors uneven = raw;  // zero of output o in group g: (o + g) % 16
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
    RawTensors raw;
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
  RawTensors raw;
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
  RawTensors raw;
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
  RawTensors raw;
  raw.add<double>("a", "F64", {2}, {0.1, -3})
      .add<uint8_t>("b", "F8_E4M3", {1}, {0x38})
      .add<float>("b_scale", "F32", {1}, {9});
  const auto made = make_logical(raw.tensors, {});
  REQUIRE(made);
  REQUIRE(made->views.size() == 3);
  CHECK(values(made->views[0]) == std::vector<float>{0.1f, -3});
  CHECK(values(made->views[1]) == std::vector<float>{1});
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
