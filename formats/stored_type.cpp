#include "formats/stored_type.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/base/byte_cursor.h"

namespace nibble {
namespace {

float half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = h >> 10 & 31,
                 fraction = h & 0x3ff;
  if (exponent == 0) {
    const float x = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -x : x;
  }
  const uint32_t e = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | e << 23 | fraction << 13);
}

float e4m3(uint8_t code) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  if ((code & 0x7f) == 0x7f) return std::numeric_limits<float>::quiet_NaN();
  const float x = exponent ? std::ldexp(static_cast<float>(8 + fraction), exponent - 10)
                           : static_cast<float>(fraction) * 0x1p-9f;
  return code & 0x80 ? -x : x;
}

float e5m2(uint8_t code) { return half(static_cast<uint16_t>(code << 8)); }

float e8m0(uint8_t code) {
  return code == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, code - 127);
}

template <float (*kValue)(uint8_t)>
void decode_table(const std::byte* from, int64_t n, float* to) {
  static const std::array<float, 256> values = [] {
    std::array<float, 256> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = kValue(static_cast<uint8_t>(i));
    return all;
  }();
  for (int64_t i = 0; i < n; ++i) to[i] = values[static_cast<uint8_t>(from[i])];
}

template <class T>
void decode_plain(const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i)
    to[i] = static_cast<float>(load_le<T>(from + i * static_cast<int64_t>(sizeof(T))));
}

void decode_f16(const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = half(load_le<uint16_t>(from + 2 * i));
}

void decode_bf16(const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i)
    to[i] = std::bit_cast<float>(uint32_t{load_le<uint16_t>(from + 2 * i)} << 16);
}

constexpr uint32_t kNoGgufType = 0xffffffff;

constexpr quant::Format plain(std::string_view name, int n_bytes) {
  return {name, kNoGgufType, 1, n_bytes, 0, quant::ActivationKind::kF32};
}
constexpr quant::Format kF64 = plain("f64", 8), kE4m3 = plain("f8_e4m3", 1),
                        kE5m2 = plain("f8_e5m2", 1), kE8m0 = plain("f8_e8m0", 1),
                        kI64 = plain("i64", 8), kI32 = plain("i32", 4), kI16 = plain("i16", 2),
                        kI8 = plain("i8", 1), kU64 = plain("u64", 8), kU32 = plain("u32", 4),
                        kU16 = plain("u16", 2), kU8 = plain("u8", 1), kBool = plain("bool", 1);

}  // namespace

std::span<const StoredType> stored_types() {
  static const std::array<StoredType, 16> types{{
      {"F64", "DoubleStorage", &kF64, decode_plain<double>},
      {"F32", "FloatStorage", quant::find_format("f32"), decode_plain<float>},
      {"F16", "HalfStorage", quant::find_format("f16"), decode_f16},
      {"BF16", "BFloat16Storage", quant::find_format("bf16"), decode_bf16},
      {"F8_E4M3", "", &kE4m3, decode_table<e4m3>},
      {"F8_E5M2", "", &kE5m2, decode_table<e5m2>},
      {"F8_E8M0", "", &kE8m0, decode_table<e8m0>},
      {"I64", "LongStorage", &kI64, decode_plain<int64_t>},
      {"I32", "IntStorage", &kI32, decode_plain<int32_t>},
      {"I16", "ShortStorage", &kI16, decode_plain<int16_t>},
      {"I8", "CharStorage", &kI8, decode_plain<int8_t>},
      {"U64", "", &kU64, decode_plain<uint64_t>},
      {"U32", "", &kU32, decode_plain<uint32_t>},
      {"U16", "", &kU16, decode_plain<uint16_t>},
      {"U8", "ByteStorage", &kU8, decode_plain<uint8_t>},
      {"BOOL", "BoolStorage", &kBool, decode_plain<uint8_t>},
  }};
  return types;
}

const StoredType* find_stored_type(std::string_view name) {
  for (const StoredType& t : stored_types())
    if (t.name == name) return &t;
  return nullptr;
}

const StoredType* find_torch_storage(std::string_view torch_storage) {
  for (const StoredType& t : stored_types())
    if (t.torch_storage == torch_storage && !torch_storage.empty()) return &t;
  return nullptr;
}

}  // namespace nibble
