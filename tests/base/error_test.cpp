#include "core/base/error.h"

#include <doctest/doctest.h>

using namespace nibble;

namespace {
Result<int> half(int n) {
  if (n % 2) return invalid_input("{} is odd", n);
  return n / 2;
}
Result<int> quarter(int n) {
  NIBBLE_TRY(const int h, half(n));
  return half(h);
}
}  // namespace

TEST_CASE("NIBBLE_TRY hands on value and error") {
  CHECK(quarter(8) == 2);
  const auto failed = quarter(6);
  REQUIRE(!failed);
  CHECK(failed.error().kind == ErrorKind::kInvalidInput);
  CHECK(failed.error().message == "3 is odd");
}
