// Packed activations: the same bytes from every instruction set, whatever the values are.
#include <doctest/doctest.h>

#include <cstring>

#include "quant/dispatch.h"
#include "tests/quant/random_blocks.h"

using namespace nibble;
using quant::kTileTokens;

namespace {

struct Packed {
  std::shared_ptr<std::byte> bytes;
  size_t n;
  bool operator==(const Packed& other) const {
    return n == other.n && std::memcmp(bytes.get(), other.bytes.get(), n) == 0;
  }
};

Packed pack_row(const quant::ActivationKernels& k, const std::vector<float>& x, int n_cols) {
  Packed out{tests::aligned_bytes(k.row_bytes(n_cols)), k.row_bytes(n_cols)};
  std::memset(out.bytes.get(), 0, out.n);
  k.pack_row(x.data(), n_cols, out.bytes.get());
  return out;
}

Packed pack_tile(const quant::ActivationKernels& k, const std::vector<float>& x, int n_cols,
                 int n_tokens) {
  Packed out{tests::aligned_bytes(k.tile_bytes(n_cols)), k.tile_bytes(n_cols)};
  std::memset(out.bytes.get(), 0, out.n);
  k.pack_tile(x.data(), n_cols, n_tokens, n_cols, out.bytes.get());
  return out;
}

}  // namespace

TEST_CASE("every instruction set packs the same bytes") {
  std::mt19937 random(3);
  for (const auto kind : {quant::ActivationKind::kQ8x32, quant::ActivationKind::kQ8x256,
                          quant::ActivationKind::kFloat16})
    for (const int n_cols : {256, 768, 4096}) {
      auto x = tests::random_activations(size_t{kTileTokens} * n_cols, random);
      for (int i = 0; i < 64; ++i) x[i] = 0;                   // a block of zeros
      for (int i = 64; i < 96; ++i) x[i] *= 0x1p-130f;         // denormals
      for (int i = 0; i < 32; ++i) x[n_cols + i] = i - 15.5f;  // halves between codes
      x[2 * n_cols + 5] = INFINITY;
      x[3 * n_cols + 70] = NAN;
      x[3 * n_cols + 71] = -3e38f;
      REQUIRE(quant::force_isa("scalar"));
      const auto& scalar = quant::activation_kernels(kind);
      for (const auto isa : quant::runnable_isas()) {
        REQUIRE(quant::force_isa(isa));
        CAPTURE(isa);
        CAPTURE(n_cols);
        const auto& k = quant::activation_kernels(kind);
        CHECK(pack_row(k, x, n_cols) == pack_row(scalar, x, n_cols));
        for (const int n_tokens : {1, 5, kTileTokens})
          CHECK(pack_tile(k, x, n_cols, n_tokens) == pack_tile(scalar, x, n_cols, n_tokens));
      }
    }
  REQUIRE(quant::select_isa());
}
