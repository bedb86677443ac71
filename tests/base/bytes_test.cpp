// ByteCursor and printable text.
#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "core/base/byte_cursor.h"
#include "core/base/cpu_features.h"
#include "core/base/printable.h"

using namespace nibble;

TEST_CASE("ByteCursor reads little-endian values and stops at the end") {
  const std::string bytes("\x01\x02\x03\x04\x05\x02\0\0\0\0\0\0\0hi!", 16);
  ByteCursor in(std::as_bytes(std::span(bytes)));
  CHECK(in.u8() == 1);
  CHECK(in.u32() == 0x05040302u);
  CHECK(in.string(2) == "hi");
  CHECK(in.offset() == 15);
  CHECK(in.remaining() == 1);
  const auto beyond = in.u16();
  REQUIRE(!beyond);
  CHECK(beyond.error().message == "byte 15: 2 bytes expected, the file ends after 1");
  CHECK(in.u8() == '!');
}

TEST_CASE("ByteCursor holds lengths against what is there and what is allowed") {
  std::array<std::byte, 12> bytes{};
  bytes[0] = std::byte{5};
  ByteCursor in(bytes);
  CHECK(in.string(4).error().message == "byte 0: a string of 5 bytes, expected at most 4");
  ByteCursor again(bytes);
  CHECK(again.string(5).error().message == "byte 8: 5 bytes expected, the file ends after 4");
  ByteCursor wraps(bytes);
  REQUIRE(wraps.u8());
  CHECK(!wraps.take(std::numeric_limits<uint64_t>::max()));
  CHECK(wraps.take(11)->size() == 11);
}

TEST_CASE("what a file says is made fit for one line") {
  CHECK(printable("plain, ä, 漢, 😀") == "plain, ä, 漢, 😀");
  CHECK(printable("a\nb\x1b[31m\x7f") == "a\\x0ab\\x1b[31m\\x7f");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80") ==
        "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
  CHECK(printable("\xc2\x9b \xe2\x80\xae") ==
        "\\xc2\\x9b \\xe2\\x80\\xae");  // C1 control, override
  CHECK(printable(std::string(100, 'x'), 10) == "xxxxxxxxxx...");
  CHECK(in_quotes("k") == "'k'");
}

TEST_CASE("processor features imply each other as the manuals say") {
  const CpuFeatures& f = cpu_features();
  CHECK((!f.avx512bw || f.avx512f));
  CHECK((!f.avx512_vnni || f.avx512f));
  CHECK((!f.avx512f || f.avx2));
  CHECK((!f.avx2 || !f.brand.empty()));
#if defined(__x86_64__)
  CHECK(f.avx2 == static_cast<bool>(__builtin_cpu_supports("avx2")));
  CHECK(f.avx512_vnni == static_cast<bool>(__builtin_cpu_supports("avx512vnni")));
#endif
}
