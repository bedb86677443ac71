// Types of elements as checkpoints name them, and their values. E4M3 is the "fn" kind: bias 7, no
// infinities, 0x7f and 0xff are not numbers. E8M0 is a bare exponent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor/shape.h"
#include "quant/format.h"

namespace nibble {

struct StoredType {
  std::string_view name;           // "BF16", as safetensors writes it
  std::string_view torch_storage;  // "BFloat16Storage"; empty: none
  // For F32, F16 and BF16 the registered format; for others one without kernels that tells only
  // name and size.
  const quant::Format* format;
  // n elements to f32, rounded once. from need not be aligned.
  void (*decode)(const std::byte* from, int64_t n, float* to);

  size_t n_bytes() const { return static_cast<size_t>(format->block_bytes); }
  float value(const std::byte* at) const {
    float x = 0;
    decode(at, 1, &x);
    return x;
  }
  bool is_float8() const { return name == "F8_E4M3" || name == "F8_E5M2"; }
  bool has_kernels() const { return name == "F32" || name == "F16" || name == "BF16"; }
};

std::span<const StoredType> stored_types();
const StoredType* find_stored_type(std::string_view name);  // nullptr: no such type
const StoredType* find_torch_storage(std::string_view torch_storage);

// A tensor as it lies in a checkpoint.
struct RawTensor {
  std::string name;
  const StoredType* type = nullptr;
  Shape shape;  // of a fifth dimension and more, the first ones are taken together
  std::span<const std::byte> bytes;  // all elements, no gaps
};

}  // namespace nibble
