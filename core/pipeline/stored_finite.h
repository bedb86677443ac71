// A look at stored floats that is far cheaper than decoding them.
#pragma once

#include <cstddef>
#include <span>

#include "quant/format.h"

namespace nibble {

// Whether bytes hold finite numbers only, told by their exponents. false also for formats other
// than f32, f16 and bf16: what those hold is known only when it is decoded.
bool are_finite(const quant::Format& format, std::span<const std::byte> bytes);

}  // namespace nibble
