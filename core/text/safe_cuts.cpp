#include "core/text/safe_cuts.h"

#include <bit>

#include "core/text/utf8.h"

namespace nibble::text {

SafeCuts::SafeCuts(std::span<const std::string_view> tokens) {
  const size_t n_bits = std::bit_ceil(tokens.size() * 16 + 64);
  bits_.resize(n_bits / 64);
  shift_ = 64 - std::countr_zero(n_bits);
  for (const std::string_view token : tokens) {
    if (token.size() < 2 || valid_utf8_prefix(token) != token.size()) continue;
    char32_t last = decode_utf8(token.data());
    for (size_t i = utf8_length(static_cast<unsigned char>(token[0])); i < token.size();
         i += utf8_length(static_cast<unsigned char>(token[i]))) {
      const char32_t next = decode_utf8(token.data() + i);
      const uint64_t at = place(last, next);
      bits_[at >> 6] |= uint64_t{1} << (at & 63);
      last = next;
    }
  }
}

}  // namespace nibble::text
