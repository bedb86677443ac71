// See products.h.
#include "core/models/products.h"

namespace nibble {

void Products::run(int n_tokens, int n_cols, RowSource x, std::span<const Product> products) {
  if (!stopped_) stopped_ = !matmul(context(), n_tokens, n_cols, x, products);
}

void Products::run(ConstRows x, std::span<const Product> products) {
  if (!stopped_) stopped_ = !matmul(context(), x, products);
}

}  // namespace nibble
