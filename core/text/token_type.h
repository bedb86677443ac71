// What a token is for, as SentencePiece numbers it and GGUF's tokenizer.ggml.token_type with it.
#pragma once

#include <cstdint>

namespace nibble::text {

enum TokenType : int32_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

// Merges may make it.
constexpr bool is_mergeable(TokenType t) {
  return t == kNormal || t == kUserDefined || t == kUnused;
}
// It is found in texts before they are split.
constexpr bool is_added(TokenType t) { return t == kControl || t == kUnknown || t == kUserDefined; }

}  // namespace nibble::text
