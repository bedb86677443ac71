// The most keys, tensors, elements and letters that a GGUF header may have.
#include <doctest/doctest.h>

#include "formats/gguf_header.h"
#include "tests/formats/gguf_bytes.h"

using namespace nibble;
using tests::GgufBytes;

namespace {
bool reads(const std::string& bytes, std::string_view words) {
  const auto header = gguf::read_header(std::as_bytes(std::span(bytes)));
  if (header) return true;
  CHECK_MESSAGE(header.error().message.find(words) != std::string::npos, header.error().message);
  return false;
}
std::string many_keys(uint64_t n) {
  GgufBytes b(0, n);
  for (uint64_t i = 0; i < n; ++i) b.key(std::to_string(i), 7).u8(0);
  return b;
}
std::string many_tensors(uint64_t n) {
  GgufBytes b(n, 0);
  for (uint64_t i = 0; i < n; ++i) b.tensor(std::to_string(i), {8}, 0, 32 * i);
  return b.pad().zeros(32 * n);
}
std::string many_elements(uint64_t n) {
  GgufBytes b(0, 2);
  b.array("a", 0, n / 2).zeros(n / 2);
  return b.array("b", 1, n - n / 2).zeros(n - n / 2);
}
std::string names(size_t key, size_t tensor) {
  GgufBytes b(1, 1);
  b.key_u32(std::string(key, 'k'), 1).tensor(std::string(tensor, 't'), {8}, 0, 0);
  return b.pad().zeros(64);
}
std::string aligned(uint32_t alignment) {
  GgufBytes b(1, 1);
  return b.key_u32("general.alignment", alignment).tensor("t", {8}, 0, 0).pad(alignment).zeros(32);
}
}  // namespace

TEST_CASE("GGUF budgets: just below passes, just above does not") {
  using namespace gguf;
  CHECK(reads(many_keys(kMaxKeys), ""));
  CHECK(!reads(many_keys(kMaxKeys + 1), "more than the 65536"));
  CHECK(reads(many_tensors(kMaxTensors), ""));
  CHECK(!reads(many_tensors(kMaxTensors + 1), "more than the 262144"));
  CHECK(reads(many_elements(kMaxElements), ""));
  CHECK(!reads(many_elements(kMaxElements + 1), "more than the 8388608"));
  CHECK(reads(names(kMaxKeyLength, kMaxTensorName), ""));
  CHECK(!reads(names(kMaxKeyLength + 1, 1), "expected at most 65535"));
  CHECK(!reads(names(1, kMaxTensorName + 1), "expected at most 255"));
  CHECK(reads(aligned(kMaxAlignment), ""));
  CHECK(!reads(aligned(2 * kMaxAlignment), "a power of two up to 1048576"));
}
