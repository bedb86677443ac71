// GGUF files that are as they should be: what is read from them.
#include "formats/gguf.h"

#include <doctest/doctest.h>

#include <fstream>

#include "formats/gguf_header.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

using namespace nibble;
using tests::GgufBytes;
using tests::TemporaryFolder;

namespace {
Result<gguf::Header> read(const std::string& bytes) {
  return gguf::read_header(std::as_bytes(std::span(bytes)));
}

// One of each type of value.
GgufBytes all_types(uint32_t version) {
  GgufBytes b(0, 15, version);
  b.key("u8", 0).u8(200).key("i8", 1).u8(0xff).key("u16", 2).value(uint16_t{65535});
  b.key("i16", 3).value(int16_t{-2}).key_u32("u32", 7).key("i32", 5).value(-3).key("f32", 6);
  b.value(0.5f).key("yes", 7).u8(1).key_text("text", "ä\n").key("u64", 10).u64(uint64_t{1} << 63);
  b.key("i64", 11).value(int64_t{-4}).key("f64", 12).value(0.1);
  b.array("names", 8, 3).text("a").text("").text("c").array("ids", 5, 2).value(-1).value(9);
  return b.array("none", 6, 0);
}

// Part `no` of `count`, with one tensor `name`.
std::string part(uint16_t no, uint16_t count, const char* name, uint32_t total) {
  GgufBytes b(1, no == 0 ? 4 : 3);
  if (no == 0) b.key_text("general.architecture", "llama");
  b.key("split.no", 2).value(no).key("split.count", 2).value(count);
  b.key("split.tensors.count", 5).u32(total).tensor(name, {8}, 0, 0).pad().zeros(31).u8(no);
  return b;
}
}  // namespace

TEST_CASE("GGUF versions 2 and 3: every type of value") {
  for (const uint32_t version : {2u, 3u}) {
    const std::string bytes = all_types(version);
    const auto header = read(bytes);
    REQUIRE(header);
    const Metadata& m = header->metadata;
    CHECK(header->version == version);
    CHECK(m.entries().size() == 15);
    CHECK(m.get_u64("u8").value() == 200);
    CHECK(m.get_ints("ids").value() == std::vector<int64_t>{-1, 9});
    CHECK(std::get<int64_t>(*m.find("i8")) == -1);
    CHECK(m.get_u64("u16").value() == 65535);
    CHECK(std::get<int64_t>(*m.find("i16")) == -2);
    CHECK(m.get_u64("u32").value() == 7);
    CHECK(m.need_f64("i32") == -3);
    CHECK(m.need_f64("f32") == 0.5);
    CHECK(m.get_bool("yes").value() == true);
    CHECK(m.need_string("text") == "ä\n");
    CHECK(m.get_u64("u64").value() == uint64_t{1} << 63);
    CHECK(std::get<int64_t>(*m.find("i64")) == -4);
    CHECK(m.need_f64("f64") == 0.1);
    CHECK(*m.get_strings("names").value() == std::vector<std::string_view>{"a", "", "c"});
    CHECK(m.get_floats("none").value()->empty());
    CHECK(m.is_array("none"));
    CHECK(!m.is_array("text"));
    CHECK(m.entries()[12].gguf_type == 8);
    CHECK(header->tensors.empty());
  }
}

TEST_CASE("metadata of another type than wanted is named") {
  const std::string bytes = all_types(3);
  const auto header = read(bytes);
  REQUIRE(header);
  const Metadata& m = header->metadata;
  const auto message = [](const auto& result) {
    REQUIRE(!result);
    CHECK(result.error().kind == ErrorKind::kCorrupt);
    return result.error().message;
  };
  CHECK(message(m.get_u64("i32")) == "key 'i32': -3, expected no negative number");
  CHECK(message(m.get_u64("names")) ==
        "key 'names': an array of strings, expected an unsigned integer");
  CHECK(message(m.need_f64("text")) == "key 'text': a string, expected a number");
  CHECK(message(m.get_bool("u8")) == "key 'u8': an unsigned integer, expected a bool");
  CHECK(message(m.need_string("f32")) == "key 'f32': a float, expected a string");
  CHECK(message(m.get_strings("ids")) ==
        "key 'ids': an array of integers, expected an array of strings");
  CHECK(message(m.get_ints("none")) ==
        "key 'none': an array of floats, expected an array of integers");
  CHECK(message(m.get_floats("names")) ==
        "key 'names': an array of strings, expected an array of floats");
  CHECK(message(m.need_string("gone")) == "key 'gone' is missing");
  CHECK(m.get_u64("gone").value() == std::nullopt);
  CHECK(m.get_strings("gone").value() == nullptr);
}

TEST_CASE("GGUF tensors: shape slowest first, bytes in place") {
  GgufBytes b(2, 1);
  b.key_u32("general.alignment", 64).tensor("q", {64, 3}, 8, 64).tensor("f", {2, 3, 4, 1}, 1, 320);
  b.pad(64).zeros(64).u8(7).zeros(64 * 3 / 32 * 34 - 1).pad(64).zeros(48);
  const std::string bytes = b;
  const auto header = read(bytes);
  REQUIRE(header);
  REQUIRE(header->tensors.size() == 2);
  const TensorView &q = header->tensors[0], &f = header->tensors[1];
  CHECK(q.name == "q");
  CHECK(q.format->name == "q8_0");
  CHECK(to_string(q.shape) == "[3, 64]");
  CHECK(q.bytes.size() == 3 * q.row_bytes());
  CHECK(q.bytes[0] == std::byte{7});
  CHECK(to_string(f.shape) == "[1, 4, 3, 2]");
  CHECK(f.bytes.data() + f.bytes.size() == std::as_bytes(std::span(bytes)).data() + bytes.size());
}

TEST_CASE("a split GGUF opens by any of its parts") {
  TemporaryFolder folder;
  folder.write("m-00001-of-00003.gguf", part(0, 3, "a", 3));
  folder.write("m-00002-of-00003.gguf", part(1, 3, "b", 3));
  folder.write("m-00003-of-00003.gguf", part(2, 3, "c", 3));
  for (const char* name : {"m-00001-of-00003.gguf", "m-00003-of-00003.gguf"}) {
    const auto model = open_weight_file(folder.path() / name);
    REQUIRE(model);
    CHECK((*model)->container() == "gguf");
    CHECK((*model)->files().size() == 3);
    CHECK((*model)->metadata().need_string("general.architecture") == "llama");
    REQUIRE((*model)->tensors().size() == 3);
    CHECK((*model)->tensors()[1].name == "b");
    CHECK((*model)->find("c")->bytes.back() == std::byte{2});
    CHECK((*model)->find("d") == nullptr);
  }
}

TEST_CASE("faults of split GGUF files name the part") {
  struct Row {
    const char* what;
    std::vector<std::pair<const char*, std::string>> files;  // the first is opened
    ErrorKind kind;
    const char* words;
  };
  const char* const one = "m-00001-of-00002.gguf";
  const char* const two = "m-00002-of-00002.gguf";
  const std::vector<Row> rows{
      {"missing part",
       {{one, part(0, 2, "a", 2)}},
       ErrorKind::kNotFound,
       "m-00002-of-00002.gguf: part 2 of 2 of the model is missing"},
      {"missing first part",
       {{two, part(1, 2, "b", 2)}},
       ErrorKind::kNotFound,
       "m-00001-of-00002.gguf: part 1 of 2"},
      {"renamed",
       {{"m.gguf", part(0, 2, "a", 2)}},
       ErrorKind::kCorrupt,
       "does not end in '-00001-of-00002.gguf'"},
      {"wrong part under the name",
       {{one, part(0, 2, "a", 2)}, {two, part(0, 2, "b", 2)}},
       ErrorKind::kCorrupt,
       "m-00002-of-00002.gguf: says it is part 1 of 2"},
      {"part of another split",
       {{one, part(0, 2, "a", 2)}, {two, part(1, 3, "b", 2)}},
       ErrorKind::kCorrupt,
       "says it is part 2 of 3, but its name says 2 of 2"},
      {"tensor in both",
       {{one, part(0, 2, "a", 2)}, {two, part(1, 2, "a", 2)}},
       ErrorKind::kCorrupt,
       "tensor 'a' stands in two parts"},
      {"total",
       {{one, part(0, 2, "a", 7)}, {two, part(1, 2, "b", 7)}},
       ErrorKind::kCorrupt,
       "'split.tensors.count': 7, but the parts hold 2"},
      {"number beyond count",
       {{"m-00003-of-00002.gguf", part(2, 2, "a", 1)}},
       ErrorKind::kCorrupt,
       "'split.no': 2, expected less than split.count, which is 2"},
      {"too many",
       {{"m-00001-of-01025.gguf", part(0, 1025, "a", 1)}},
       ErrorKind::kCorrupt,
       "'split.count': 1025, expected at most 1024"},
      {"damaged part",
       {{one, part(0, 2, "a", 2)}, {two, "GGUF"}},
       ErrorKind::kCorrupt,
       "m-00002-of-00002.gguf: byte 4"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    TemporaryFolder folder;
    for (const auto& [name, bytes] : row.files) folder.write(name, bytes);
    const auto model = open_weight_file(folder.path() / row.files[0].first);
    REQUIRE(!model);
    CHECK(model.error().kind == row.kind);
    CHECK_MESSAGE(model.error().message.find(row.words) != std::string::npos,
                  model.error().message);
    CHECK(model.error().message.starts_with(folder.path().string()));
  }
}

TEST_CASE("GGUF vocabularies without tensors open, whatever their architecture") {
  NIBBLE_NEED_DATA("gguf-vocabs");
  int n_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(tests::data_dir() / "gguf-vocabs")) {
    if (entry.path().extension() != ".gguf") continue;
    const auto model = open_weight_file(entry.path());
    REQUIRE(model);
    CHECK((*model)->tensors().empty());
    CHECK((*model)->metadata().get_strings("tokenizer.ggml.tokens").value()->size() > 30'000);
    ++n_files;
  }
  CHECK(n_files == 5);
}

TEST_CASE("GGUF files of llama.cpp's converter open") {
  NIBBLE_NEED_DATA("reference-gguf");
  for (const auto& entry :
       std::filesystem::directory_iterator(tests::data_dir() / "reference-gguf")) {
    const auto model = open_weight_file(entry.path());
    REQUIRE_MESSAGE(model, model.error().message);
    CHECK((*model)->find("token_embd.weight") != nullptr);
    CHECK((*model)->n_bytes() == entry.file_size());
  }
}
