// SHA-256, the checksum that model hubs publish for their files. 64 hexadecimal digits.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace nibble {

inline constexpr size_t kSha256Digits = 64;

// Of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> bytes);
  std::string digest();  // of all bytes so far; once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nibble
