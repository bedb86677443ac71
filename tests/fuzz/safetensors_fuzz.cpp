// The safetensors reader and what makes logical tensors of stored ones: whatever the bytes, an
// error or tensors that lie inside of them and decode. The first byte chooses the encoding.
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "formats/encodings.h"
#include "formats/safetensors.h"

using namespace nibble;

namespace {

void decode_some(const TensorView& t) {
  constexpr int64_t kMaxColumns = 1 << 16;
  if (!t.decoder || t.shape.n_rows() < 1 || t.shape.n_cols() > kMaxColumns) return;
  std::vector<float> row(static_cast<size_t>(t.shape.n_cols()));
  for (const int64_t r : {int64_t{0}, t.shape.n_rows() - 1})
    t.decoder->decode(r, 1, row.data(), row.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Kind = Encoding::Kind;
  constexpr Encoding kEncodings[] = {{},
                                     {.kind = Kind::kScaled},
                                     {.kind = Kind::kScaled, .block_rows = 2, .block_cols = 2},
                                     {.kind = Kind::kRowPacked, .bits = 4, .group_size = 8},
                                     {.kind = Kind::kRowPacked, .bits = 8, .group_size = -1},
                                     {.kind = Kind::kGptq, .bits = 4, .group_size = 4},
                                     {.kind = Kind::kGptq, .bits = 3, .group_size = -1},
                                     {.kind = Kind::kAwq, .bits = 4, .group_size = 4},
                                     {.kind = Kind::kMxfp4}};
  if (size < 1) return 0;
  const auto file = std::as_bytes(std::span(data + 1, size - 1));
  const auto raw = read_safetensors(file);
  if (!raw) return raw.error().message.empty() ? std::abort(), 0 : 0;
  const std::less_equal<> before;
  for (const RawTensor& t : *raw)
    if (!before(file.data(), t.bytes.data()) ||
        !before(t.bytes.data() + t.bytes.size(), file.data() + file.size()))
      std::abort();
  const auto logical = make_logical(*raw, kEncodings[data[0] % std::size(kEncodings)]);
  if (logical) std::ranges::for_each(logical->views, decode_some);
  return 0;
}
