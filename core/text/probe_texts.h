// Texts that tell tokenizers apart: scripts, digits, contractions, white space, marks, emoji, code.
#pragma once

#include <span>
#include <string_view>

namespace nibble::text {

std::span<const std::string_view> probe_texts();

}  // namespace nibble::text
