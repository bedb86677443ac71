// XXH3-128, the checksum of tensors in files that nibble writes: not against an adversary, but fast
// and sure enough that no accident passes. Written as 32 hexadecimal digits, most significant first
// (xxhsum's canonical form).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace nibble {

std::string xxh3_128(std::span<const std::byte> bytes);

// The same of bytes that come in pieces.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(const Xxh3Stream&) = delete;
  Xxh3Stream& operator=(const Xxh3Stream&) = delete;
  void update(std::span<const std::byte> bytes);
  std::string digest() const;  // of all bytes so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nibble
