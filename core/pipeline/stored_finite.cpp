#include "core/pipeline/stored_finite.h"

#include <cstdint>
#include <cstring>

namespace nibble {
namespace {

// All bits of the exponent are set in infinities and in what is no number.
template <class Bits, Bits kExponent>
bool exponents_are_finite(std::span<const std::byte> bytes) {
  Bits found = 0;
  for (size_t i = 0; i + sizeof(Bits) <= bytes.size(); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i, sizeof bits);
    found = static_cast<Bits>(found | static_cast<Bits>((bits & kExponent) == kExponent));
  }
  return found == 0;
}

}  // namespace

bool are_finite(const quant::Format& format, std::span<const std::byte> bytes) {
  if (format.name == "bf16") return exponents_are_finite<uint16_t, 0x7f80>(bytes);
  if (format.name == "f16") return exponents_are_finite<uint16_t, 0x7c00>(bytes);
  if (format.name == "f32") return exponents_are_finite<uint32_t, 0x7f800000>(bytes);
  return false;
}

}  // namespace nibble
