#include "formats/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/formats/checkpoint_bytes.h"

using namespace nibble;
using tests::safetensors;

namespace {
auto read(const std::string& bytes) { return read_safetensors(std::as_bytes(std::span(bytes))); }

// One tensor 't' of this description, and n bytes of data.
std::string one(std::string_view description, size_t n) {
  return safetensors("{\"t\":" + std::string(description) + "}", std::string(n, '\0'));
}
}  // namespace

TEST_CASE("safetensors: types, shapes and bytes in the order of the file") {
  const std::string bytes = safetensors(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"I64","shape":[0,7],"data_offsets":[16,16]},)"
      R"("c":{"dtype":"U8","shape":[1,2,1,2,3],"data_offsets":[16,28]}}   )",
      std::string(4, '\1') + std::string(12, '\2') + std::string(12, '\3'));
  const auto tensors = read(bytes);
  REQUIRE(tensors);
  REQUIRE(tensors->size() == 4);
  CHECK((*tensors)[0].name == "a");
  CHECK((*tensors)[0].shape.n_elements() == 1);
  CHECK((*tensors)[1].name == "b");
  CHECK((*tensors)[1].type->format->name == "bf16");
  CHECK(to_string((*tensors)[1].shape) == "[2, 3]");
  CHECK((*tensors)[1].bytes[0] == std::byte{2});
  CHECK((*tensors)[2].name == "e");
  CHECK(to_string((*tensors)[3].shape) == "[2, 1, 2, 3]");
}

TEST_CASE("damaged safetensors are refused, naming tensor and place") {
  using enum ErrorKind;
  struct Row {
    const char* what;
    std::string bytes;
    ErrorKind kind;
    const char* words;
  };
  const std::string good = R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})";
  REQUIRE(read(one(good, 16)));
  const Row rows[] = {
      {"empty", "", kCorrupt, "byte 0"},
      {"half a length", "1234", kCorrupt, "byte 0: 8 bytes expected"},
      {"header beyond the file", one(good, 16).substr(0, 20), kCorrupt,
       "a header of 55 bytes, but only 12"},
      {"header of 2^64-1", std::string(8, '\xff') + good, kCorrupt, "18446744073709551615"},
      {"no JSON", safetensors("hello", ""), kCorrupt, "JSON line 1"},
      {"JSON cut off", safetensors("{\"t\":", ""), kCorrupt, "JSON line 1"},
      {"no object", safetensors("[]", ""), kCorrupt, "no JSON object"},
      {"name twice", safetensors("{\"t\":" + good + ",\"t\":" + good + "}", std::string(16, ' ')),
       kCorrupt, "key 't' stands twice"},
      {"text as description", one("\"x\"", 0), kCorrupt, "tensor 't': is described by"},
      {"no dtype", one(R"({"shape":[],"data_offsets":[0,4]})", 4), kCorrupt,
       "tensor 't': has no 'dtype'"},
      {"dtype a number", one(R"({"dtype":1,"shape":[],"data_offsets":[0,4]})", 4), kCorrupt,
       "has no 'dtype'"},
      {"dtype unknown", one(R"({"dtype":"F4","shape":[8],"data_offsets":[0,4]})", 4), kUnsupported,
       "tensor 't': dtype 'F4'"},
      {"no shape", one(R"({"dtype":"F32","data_offsets":[0,4]})", 4), kCorrupt,
       "has no list 'shape'"},
      {"negative size", one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4), kCorrupt,
       "'shape' holds -1"},
      {"size a fraction", one(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})", 4), kCorrupt,
       "'shape' holds 1.5"},
      {"size of 2^64-1",
       one(R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]})", 4), kCorrupt,
       "'shape' holds"},
      {"size of 2^31", one(R"({"dtype":"U8","shape":[2147483648],"data_offsets":[0,4]})", 4),
       kCorrupt, "a size of 2147483648"},
      {"2^90 elements",
       one(R"({"dtype":"U8","shape":[1073741824,1073741824,1073741824],"data_offsets":[0,4]})", 4),
       kCorrupt, "too many elements"},
      {"no offsets", one(R"({"dtype":"F32","shape":[1]})", 4), kCorrupt,
       "has no list 'data_offsets'"},
      {"one offset", one(R"({"dtype":"F32","shape":[1],"data_offsets":[4]})", 4), kCorrupt,
       "not a begin and an end"},
      {"end before begin", one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4), kCorrupt,
       "not a begin and an end"},
      {"cut off", one(good, 15), kCorrupt,
       "tensor 't': ends at 16 of the data section, which has 15"},
      {"end of 2^63",
       one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775808]})", 4), kCorrupt,
       "'data_offsets' holds"},
      {"fewer bytes than the shape",
       one(R"({"dtype":"F32","shape":[5],"data_offsets":[0,16]})", 16), kCorrupt,
       "16 bytes, expected 20 for shape [5]"},
      {"trailing bytes", one(good, 17), kCorrupt, "1 bytes follow the last tensor"},
      {"gap at the start", one(R"({"dtype":"F32","shape":[4],"data_offsets":[1,17]})", 17),
       kCorrupt, "begins at 1 of the data section, expected 0"},
      {"overlap",
       safetensors("{\"a\":" + good + R"(,"b":{"dtype":"F32","shape":[4],"data_offsets":[12,28]}})",
                   std::string(28, ' ')),
       kCorrupt, "tensor 'b': begins at 12 of the data section, expected 16"},
      {"same bytes twice",
       safetensors("{\"a\":" + good + ",\"b\":" + good + "}", std::string(16, ' ')), kCorrupt,
       "begins at 0"},
      {"name with control characters", safetensors("{\"\\u001b[2J\":3}", ""), kCorrupt,
       "'\\x1b[2J'"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto tensors = read(row.bytes);
    REQUIRE(!tensors);
    CAPTURE(tensors.error().message);
    CHECK(tensors.error().kind == row.kind);
    CHECK(tensors.error().message.find(row.words) != std::string::npos);
  }
}

TEST_CASE("a safetensors header may have 100 MB and no byte more") {
  const auto padded = [](size_t n) {
    return tests::safetensors("{}" + std::string(n - 2, ' '), "");
  };
  CHECK(read(padded(kMaxSafetensorsHeader)));
  const auto over = read(padded(kMaxSafetensorsHeader + 1));
  REQUIRE(!over);
  CHECK(over.error().message.find("expected at most 100000000") != std::string::npos);
}

TEST_CASE("safetensors cut at any byte are refused") {
  const std::string whole = one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})", 16);
  for (size_t n = 0; n < whole.size(); ++n) CHECK(!read(whole.substr(0, n)));
}

TEST_CASE("stored types decode as their formats say") {
  const auto value = [](std::string_view type, auto stored) {
    return find_stored_type(type)->value(reinterpret_cast<const std::byte*>(&stored));
  };
  CHECK(value("F64", 0.1) == 0.1f);
  CHECK(value("F16", uint16_t{0x3555}) == 0.333251953125f);
  CHECK(value("F16", uint16_t{0x8001}) == -0x1p-24f);
  CHECK(value("F16", uint16_t{0x7c00}) == INFINITY);
  CHECK(value("BF16", uint16_t{0xc0a0}) == -5.0f);
  CHECK(value("F8_E4M3", uint8_t{0x7e}) == 448.0f);
  CHECK(value("F8_E4M3", uint8_t{0x01}) == 0x1p-9f);
  CHECK(value("F8_E4M3", uint8_t{0xb8}) == -1.0f);
  CHECK(std::isnan(value("F8_E4M3", uint8_t{0xff})));
  CHECK(value("F8_E5M2", uint8_t{0x3e}) == 1.5f);
  CHECK(value("F8_E5M2", uint8_t{0x01}) == 0x1p-16f);
  CHECK(value("F8_E8M0", uint8_t{127}) == 1.0f);
  CHECK(value("F8_E8M0", uint8_t{0}) == 0x1p-127f);
  CHECK(value("I32", -7) == -7.0f);
  CHECK(find_stored_type("F4") == nullptr);
  CHECK(find_torch_storage("HalfStorage")->name == "F16");
  CHECK(find_torch_storage("") == nullptr);
}
