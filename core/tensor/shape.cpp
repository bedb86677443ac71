#include "core/tensor/shape.h"

namespace nibble {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.n_dims; ++i) text += (i ? ", " : "") + std::to_string(shape.dim[i]);
  return text + "]";
}

}  // namespace nibble
