// Stored tensors made from numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/encodings.h"

namespace nibble::tests {

inline Shape shape(std::initializer_list<int64_t> dims) {
  Shape s;
  for (const int64_t d : dims) s.dim[static_cast<size_t>(s.n_dims++)] = d;
  return s;
}

// Tensors and the memory they borrow.
struct RawTensors {
  std::vector<std::shared_ptr<std::vector<std::byte>>> memory;  // shared with copies
  std::vector<RawTensor> tensors;

  template <class T>
  RawTensors& add(std::string name, std::string_view type, std::initializer_list<int64_t> dims,
                  const std::vector<T>& values) {
    auto& bytes =
        *memory.emplace_back(std::make_shared<std::vector<std::byte>>(values.size() * sizeof(T)));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    tensors.push_back({std::move(name), find_stored_type(type), shape(dims), bytes});
    return *this;
  }
};

}  // namespace nibble::tests
