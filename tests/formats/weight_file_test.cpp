// What open_weight_file says of files that are no models; checksums; NumPy files.
#include "formats/weight_file.h"

#include <doctest/doctest.h>

#include "formats/checksum.h"
#include "formats/npy.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using tests::TemporaryFolder;

TEST_CASE("files that are no models are told apart by their content") {
  using enum ErrorKind;
  struct Row {
    std::string bytes;
    ErrorKind kind;
    const char* words;
  };
  const Row rows[] = {
      {"", kCorrupt, "is empty"},
      {"<!DOCTYPE html><html>", kCorrupt, "an HTML page"},
      {" \n<HTML lang=en>", kCorrupt, "an HTML page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00", kUnsupported, "git lfs pull"},
      {std::string("\x40\0\0\0\0\0\0\0{\"a\":", 13), kUnsupported, "a safetensors file"},
      {std::string("PK\3\4\0\0", 6), kUnsupported, "a zip archive"},
      {std::string("\x80\2}q", 4), kUnsupported, "a bare pickle"},
      {"tjgg\1\2\3", kUnsupported, "GGJT"},
      {std::string("\x1f\x8b\x08\0", 4), kUnsupported, "gzip"},
      {"{\"error\": \"Invalid username\"}", kUnsupported, "a JSON document"},
      {std::string(1000, '\0'), kCorrupt, "512 zero bytes"},
      {"hello", kCorrupt, "begins with 'hello', expected 'GGUF'"},
      {"\x1b[31m", kCorrupt, "'\\x1b[31m'"},
      {"GGUF", kCorrupt, "byte 4"},
  };
  TemporaryFolder folder;
  for (const Row& row : rows) {
    const auto path = folder.write("model.gguf", row.bytes);
    const auto model = open_weight_file(path);
    REQUIRE(!model);
    CAPTURE(model.error().message);
    CHECK(model.error().kind == row.kind);
    CHECK(model.error().message.starts_with(path.string() + ": "));
    CHECK(model.error().message.find(row.words) != std::string::npos);
  }
}

TEST_CASE("a model that is not there, and a folder without one") {
  TemporaryFolder folder;
  CHECK(open_weight_file(folder.path() / "none").error().kind == ErrorKind::kNotFound);
  CHECK(open_weight_file("").error().kind == ErrorKind::kNotFound);
  CHECK(open_weight_file(folder.path()).error().kind == ErrorKind::kNotFound);
}

TEST_CASE("checksums are XXH3-128 in its canonical form") {
  CHECK(xxh3_128({}) == "99aa06d3014798d86001c324468d497f");
  const std::string text(1000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  Xxh3Stream stream;
  stream.update(bytes.first(7));
  stream.update(bytes.subspan(7));
  CHECK(stream.digest() == xxh3_128(bytes));
  CHECK(stream.digest() != xxh3_128(bytes.first(999)));
}

TEST_CASE("NumPy files: header, rows, and nothing without the last one") {
  TemporaryFolder folder;
  const auto target = folder.path() / "a.npy";
  const float rows[] = {1, 2, 3, 4.5f, -5, 6};
  {
    auto unfinished = NpyWriter::create(target, 2, 3, false);
    REQUIRE(unfinished);
    REQUIRE(unfinished->add_row(std::span(rows).first(3)));
  }
  CHECK(folder.n_files() == 0);
  auto npy = NpyWriter::create(target, 2, 3, false);
  REQUIRE(npy);
  REQUIRE(npy->add_row(std::span(rows).first(3)));
  REQUIRE(npy->add_row(std::span(rows).last(3)));
  REQUIRE(npy->finish());
  const std::string bytes = folder.read("a.npy");
  REQUIRE(bytes.size() == 128 + sizeof rows);
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\1\0\x76\0", 10));
  CHECK(bytes.substr(10, 59) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
  CHECK(bytes[127] == '\n');
  CHECK(std::memcmp(bytes.data() + 128, rows, sizeof rows) == 0);
}
