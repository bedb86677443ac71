// Damaged GGUF files as a table: bytes, the kind of error, words that its message must hold.
#include <doctest/doctest.h>

#include <functional>

#include "formats/gguf_header.h"
#include "tests/formats/gguf_bytes.h"

using namespace nibble;
using tests::GgufBytes;

namespace {
constexpr uint64_t kHuge = ~uint64_t{0};

struct Row {
  const char* what;
  std::string bytes;
  ErrorKind kind;
  std::vector<std::string> words;
};

// Three keys and two tensors, nothing wrong. Offsets in the comments.
GgufBytes valid() {
  GgufBytes b(2, 3);
  b.key_text("general.architecture", "llama");           // 24
  b.key_u32("general.alignment", 32);                    // 69
  b.array("tokens", 8, 2).text("ab").text("c");          // 102
  b.tensor("f", {4, 2}, 0, 0).tensor("q", {32}, 8, 32);  // 151, 192
  return b.pad().zeros(32 + 34);
}

// A file of one key, or of one tensor with 64 bytes of data.
GgufBytes one_key() { return {0, 1}; }
GgufBytes one_tensor() { return {1, 0}; }
GgufBytes data(GgufBytes b, size_t n = 64) { return b.pad().zeros(n); }

std::string with_version(uint32_t version) {
  return "GGUF" + GgufBytes().u32(version).str() + valid().str().substr(8);
}
std::string cut(size_t n) { return valid().str().substr(0, n); }

std::vector<Row> preamble_rows() {
  using enum ErrorKind;
  return {
      {"empty", "", kCorrupt, {"byte 0", "4 bytes expected"}},
      {"three bytes", "GGU", kCorrupt, {"byte 0", "ends after 3"}},
      {"other magic",
       "GGML" + valid().str().substr(4),
       kCorrupt,
       {"byte 0", "'GGML'", "expected the magic 'GGUF'"}},
      {"magic with control characters",
       "\x1b[2J" + valid().str().substr(4),
       kCorrupt,
       {"'\\x1b[2J'"}},
      {"no version", cut(4), kCorrupt, {"byte 4", "4 bytes expected"}},
      {"half a version", cut(6), kCorrupt, {"byte 4", "ends after 2"}},
      {"version 0", with_version(0), kUnsupported, {"byte 4", "version 0"}},
      {"version 1", with_version(1), kUnsupported, {"version 1", "2 and 3"}},
      {"version 4", with_version(4), kUnsupported, {"byte 4", "version 4"}},
      {"big-endian", with_version(0x03000000), kUnsupported, {"big-endian"}},
      {"version of noise", with_version(0xdeadbeef), kUnsupported, {"3735928559"}},
      {"no tensor count", cut(8), kCorrupt, {"byte 8", "8 bytes expected"}},
      {"no key count", cut(16), kCorrupt, {"byte 16", "8 bytes expected"}},
      {"keys missing",
       GgufBytes(0, 1),
       kCorrupt,
       {"byte 24", "1 keys announced", "0 bytes follow"}},
      {"more keys than bytes", GgufBytes(0, 1000).zeros(100), kCorrupt, {"1000 keys", "100 bytes"}},
      {"2^64-1 keys", GgufBytes(0, kHuge).zeros(100), kCorrupt, {"18446744073709551615 keys"}},
      {"tensors missing", GgufBytes(1, 0), kCorrupt, {"byte 24", "1 tensors announced"}},
      {"2^64-1 tensors",
       GgufBytes(kHuge, 0).zeros(100),
       kCorrupt,
       {"18446744073709551615 tensors"}},
      {"2^63 tensors",
       GgufBytes(uint64_t{1} << 63, 0).zeros(100),
       kCorrupt,
       {"9223372036854775808 tensors"}},
      {"counts of both, too many tensors",
       GgufBytes(3, 0).zeros(33 * 3 - 1),
       kCorrupt,
       {"3 tensors", "98 bytes"}},
  };
}

std::vector<Row> key_rows() {
  using enum ErrorKind;
  return {
      {"key length beyond the file",
       one_key().u64(100).raw("abcdefgh"),
       kCorrupt,
       {"byte 32", "100 bytes expected"}},
      {"key length 2^64-1",
       one_key().u64(kHuge).raw("abcdefgh"),
       kCorrupt,
       {"byte 24", "18446744073709551615 bytes"}},
      {"key without a name",
       one_key().key_u32("", 1).zeros(8),
       kCorrupt,
       {"byte 24", "without a name"}},
      {"value type 13",
       one_key().key("k", 13).u64(0),
       kCorrupt,
       {"'k'", "byte 33", "value type 13"}},
      {"value type 2^32-1", one_key().key("k", 0xffffffff).u64(0), kCorrupt, {"'k'", "4294967295"}},
      {"key named by noise",
       one_key().key("\x01\xff\n", 99).u64(0),
       kCorrupt,
       {"'\\x01\\xff\\x0a'"}},
      {"no value type", one_key().text("abcdef"), kCorrupt, {"byte 38", "4 bytes expected"}},
      {"u32 cut off", one_key().key("abc", 4).raw("xx"), kCorrupt, {"'abc'", "byte 39", "4 bytes"}},
      {"f64 cut off", one_key().key("abc", 12).u32(0), kCorrupt, {"'abc'", "8 bytes expected"}},
      {"bool of 2",
       one_key().key("abc", 7).u8(2),
       kCorrupt,
       {"'abc'", "byte 39", "a bool of value 2"}},
      {"text beyond the file",
       one_key().key("abc", 8).u64(9).raw("12345678"),
       kCorrupt,
       {"'abc'", "9 bytes"}},
      {"text of 2^64-1",
       one_key().key("abc", 8).u64(kHuge),
       kCorrupt,
       {"'abc'", "18446744073709551615"}},
      {"array of arrays",
       one_key().array("abc", 9, 1).zeros(12),
       kUnsupported,
       {"'abc'", "an array of arrays"}},
      {"array of type 13",
       one_key().array("abc", 13, 1).u64(0),
       kCorrupt,
       {"'abc'", "value type 13"}},
      {"array count cut off",
       one_key().key("abc", 9).u32(4).u32(1),
       kCorrupt,
       {"'abc'", "8 bytes expected"}},
      {"array longer than the file",
       one_key().array("abc", 4, 3).u64(0),
       kCorrupt,
       {"'abc'", "byte 43", "3 elements of type u32", "8 bytes follow"}},
      {"array of 2^64-1",
       one_key().array("abc", 0, kHuge).u64(0),
       kCorrupt,
       {"'abc'", "18446744073709551615"}},
      {"array of 2^61 doubles",
       one_key().array("abc", 12, uint64_t{1} << 61).u64(0),
       kCorrupt,
       {"'abc'", "elements of type f64"}},
      {"bool array with 3",
       one_key().array("abc", 7, 2).u8(1).u8(3),
       kCorrupt,
       {"'abc'", "byte 52", "value 3"}},
      {"text in an array beyond the file",
       one_key().array("abc", 8, 2).text("x").u64(50),
       kCorrupt,
       {"'abc'", "element 1", "byte 68", "50 bytes"}},
      {"text in an array of 2^64-1",
       one_key().array("abc", 8, 1).u64(kHuge),
       kCorrupt,
       {"element 0"}},
      {"text array shorter than announced",
       one_key().array("abc", 8, 3).text("").text("12345678"),
       kCorrupt,
       {"element 2", "ends after 0"}},
      {"key twice",
       GgufBytes(0, 2).key_u32("k", 1).key_u32("k", 1),
       kCorrupt,
       {"'k'", "byte 41", "twice"}},
      {"key twice, other type",
       GgufBytes(0, 2).key_u32("k", 1).key_text("k", ""),
       kCorrupt,
       {"'k'", "twice"}},
      {"alignment 0",
       one_key().key_u32("general.alignment", 0),
       kCorrupt,
       {"general.alignment", "power of two"}},
      {"alignment 48",
       one_key().key_u32("general.alignment", 48),
       kCorrupt,
       {"general.alignment", "48"}},
      {"alignment 2^31",
       one_key().key_u32("general.alignment", 1u << 31),
       kCorrupt,
       {"2147483648"}},
      {"alignment a text",
       one_key().key_text("general.alignment", "32"),
       kCorrupt,
       {"general.alignment", "a string"}},
      {"alignment negative",
       one_key().key("general.alignment", 5).value(-32),
       kCorrupt,
       {"general.alignment", "-32"}},
  };
}

std::vector<Row> tensor_rows() {
  using enum ErrorKind;
  const auto two = [](uint64_t first, uint64_t second) {
    return data(GgufBytes(2, 0).tensor("a", {8}, 0, first).tensor("b", {8}, 0, second));
  };
  return {
      {"tensor without a name",
       data(one_tensor().tensor("", {8}, 0, 0)),
       kCorrupt,
       {"byte 24", "without a name"}},
      {"tensor name beyond the file",
       one_tensor().u64(200).zeros(40),
       kCorrupt,
       {"tensor 1 of 1", "200 bytes"}},
      {"no dimensions",
       data(one_tensor().tensor("w", {}, 0, 0)),
       kCorrupt,
       {"'w'", "byte 33", "0 dimensions"}},
      {"five dimensions",
       data(one_tensor().tensor("w", {1, 1, 1, 1, 1}, 0, 0)),
       kCorrupt,
       {"'w'", "5 dimensions"}},
      {"2^32-1 dimensions",
       one_tensor().text("w").u32(0xffffffff).zeros(40),
       kCorrupt,
       {"'w'", "4294967295 dimensions"}},
      {"dimension 0",
       data(one_tensor().tensor("w", {8, 0}, 0, 0)),
       kCorrupt,
       {"'w'", "byte 45", "a dimension of 0"}},
      {"dimension 2^31",
       data(one_tensor().tensor("w", {uint64_t{1} << 31}, 0, 0)),
       kCorrupt,
       {"'w'", "2147483648"}},
      {"dimension -1",
       data(one_tensor().tensor("w", {kHuge}, 0, 0)),
       kCorrupt,
       {"'w'", "18446744073709551615"}},
      {"2^124 elements",
       data(one_tensor().tensor("w", {1u << 30, 1u << 30, 1u << 30, 1u << 30}, 0, 0)),
       kCorrupt,
       {"'w'", "more than 2^64 bytes"}},
      {"2^64 bytes exactly",
       data(one_tensor().tensor("w", {1u << 30, 1u << 30, 4}, 0, 0)),
       kCorrupt,
       {"'w'", "2^64"}},
      {"2^63 bytes",
       data(one_tensor().tensor("w", {1u << 30, 1u << 30, 2}, 0, 0)),
       kCorrupt,
       {"'w'", "needs bytes 0+9223372036854775808", "has 64"}},
      {"dimensions cut off",
       one_tensor().text("wwwwwwwwwwwwwwww").u32(3).u64(1).u32(0),
       kCorrupt,
       {"tensor 1 of 1", "8 bytes expected"}},
      {"type cut off",
       GgufBytes(1, 0).text("wwwwwwwwwwwwwwwww").u32(1).u64(1).u8(0),
       kCorrupt,
       {"4 bytes expected"}},
      {"offset cut off",
       GgufBytes(1, 0).text("wwwwwwwwwwwww").u32(1).u64(1).u32(0).u32(0),
       kCorrupt,
       {"8 bytes expected"}},
      {"type 4, retired",
       data(one_tensor().tensor("w", {32}, 4, 0)),
       kUnsupported,
       {"'w'", "byte 45", "GGUF type 4 "}},
      {"type 9999",
       data(one_tensor().tensor("w", {32}, 9999, 0)),
       kUnsupported,
       {"'w'", "type 9999 is not built in"}},
      {"type 2^32-1",
       data(one_tensor().tensor("w", {32}, 0xffffffff, 0)),
       kUnsupported,
       {"'w'", "4294967295"}},
      {"ragged q8_0 row",
       data(one_tensor().tensor("w", {33}, 8, 0)),
       kCorrupt,
       {"'w'", "33 weights", "multiple of 32 for q8_0"}},
      {"ragged q4_k row",
       data(one_tensor().tensor("w", {128}, 12, 0), 999),
       kCorrupt,
       {"'w'", "multiple of 256"}},
      {"offset not aligned",
       data(one_tensor().tensor("w", {8}, 0, 8)),
       kCorrupt,
       {"'w'", "byte 49", "offset 8", "multiple of 32"}},
      {"offset beyond the data",
       data(one_tensor().tensor("w", {8}, 0, 64)),
       kCorrupt,
       {"'w'", "needs bytes 64+32", "has 64"}},
      {"offset near 2^64",
       data(one_tensor().tensor("w", {8}, 0, kHuge - 31)),
       kCorrupt,
       {"'w'", "18446744073709551584+32"}},
      {"last byte missing",
       data(one_tensor().tensor("w", {17}, 0, 0), 67),
       kCorrupt,
       {"'w'", "needs bytes 0+68", "has 67"}},
      {"no data at all", one_tensor().tensor("w", {8}, 0, 0), kCorrupt, {"'w'", "which has 0"}},
      {"no padding after the header",
       one_tensor().tensor("w", {8}, 0, 0).zeros(3),
       kCorrupt,
       {"'w'", "which has 0"}},
      {"second tensor wrong",
       data(GgufBytes(2, 0).tensor("a", {8}, 0, 0).tensor("b", {8}, 77, 32)),
       kUnsupported,
       {"tensor 2 of 2", "'b'"}},
      {"name twice",
       data(GgufBytes(2, 0).tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32)),
       kCorrupt,
       {"'a'", "twice"}},
      {"same place", two(32, 32), kCorrupt, {"begins inside of"}},
      {"overlap",
       data(GgufBytes(2, 0).tensor("a", {9}, 0, 0).tensor("b", {8}, 0, 32)),
       kCorrupt,
       {"'b' at offset 32", "inside of tensor 'a'", "0+36"}},
      {"overlap the other way",
       data(GgufBytes(2, 0).tensor("a", {8}, 0, 32).tensor("b", {9}, 0, 0)),
       kCorrupt,
       {"'a' at offset 32"}},
      {"cut in the last tensor",
       cut(valid().str().size() - 1),
       kCorrupt,
       {"'q'", "needs bytes 32+34", "has 65"}},
  };
}

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto header = gguf::read_header(std::as_bytes(std::span(row.bytes)));
    REQUIRE(!header);
    CAPTURE(header.error().message);
    CHECK(header.error().kind == row.kind);
    for (const std::string& word : row.words)
      CHECK(header.error().message.find(word) != std::string::npos);
    CHECK(header.error().message.find_first_of("\n\x1b") == std::string::npos);
  }
}
}  // namespace

TEST_CASE("damaged GGUF: magic, version and counts") { check_rows(preamble_rows()); }
TEST_CASE("damaged GGUF: keys and values") { check_rows(key_rows()); }
TEST_CASE("damaged GGUF: tensors") { check_rows(tensor_rows()); }

TEST_CASE(
    "a GGUF cut at any byte is refused, and one with any byte changed never read beyond its end") {
  const std::string whole = valid();
  REQUIRE(gguf::read_header(std::as_bytes(std::span(whole))));
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::string part(whole.substr(0, n));  // of its own memory, so that ASan sees its end
    CAPTURE(n);
    CHECK(!gguf::read_header(std::as_bytes(std::span(part.data(), n))));
  }
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      const auto header = gguf::read_header(std::as_bytes(std::span(changed)));
      if (!header) CHECK(!header.error().message.empty());
    }
}
