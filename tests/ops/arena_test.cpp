#include "core/tensor/arena.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

using nibble::Arena;

TEST_CASE("arena: aligned parts that do not overlap, zero at first") {
  Arena arena = *Arena::create(3 * 64);
  const auto a = arena.take<float>(3);
  const auto b = arena.take<uint8_t>(65);
  CHECK(reinterpret_cast<uintptr_t>(b.data()) % 64 == 0);
  CHECK(reinterpret_cast<std::byte*>(b.data()) - reinterpret_cast<std::byte*>(a.data()) == 64);
  CHECK(a[2] == 0.0f);
  CHECK(arena.used() == 3 * 64);
}

TEST_CASE("arena: more than there is fails, it does not throw") {
  const auto arena = Arena::create(size_t{1} << 60);
  REQUIRE(!arena);
  CHECK(arena.error().kind == nibble::ErrorKind::kOutOfMemory);
}

TEST_CASE("arena: moves") {
  Arena a = *Arena::create(64);
  const auto part = a.take<int>(1);
  part[0] = 5;
  Arena b = std::move(a);
  CHECK(b.size() == 64);
  a = std::move(b);
  CHECK(part[0] == 5);
  CHECK(a.used() == 64);
}
