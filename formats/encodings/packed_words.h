// Codes of a few bits in words of 32, with a scale and a zero for each group of columns:
// w = scale * (code - zero). What GPTQ, AWQ and compressed-tensors share.
#pragma once

#include "core/base/byte_cursor.h"
#include "core/base/printable.h"
#include "formats/encodings/scheme.h"

namespace nibble {

inline uint32_t packed_word(const std::byte* words, int64_t i) {
  return load_le<uint32_t>(words + 4 * i);
}

// Scale and zero of one row in one group.
struct Affine {
  float scale = 0;
  int zero = 0;
  float operator()(uint32_t code) const {
    return scale * static_cast<float>(static_cast<int>(code) - zero);
  }
};

inline float scale_at(const StoredType& type, const std::byte* scales, int64_t i) {
  return type.value(scales + static_cast<size_t>(i) * type.n_bytes());
}

// Which group a column belongs to.
struct ColumnGroups {
  int64_t size = 0;
  const std::byte* of = nullptr;  // i32 [n_cols], checked; null: column / size
  int64_t operator()(int64_t column) const {
    return of ? load_le<int32_t>(of + 4 * column) : column / size;
  }
};

// The groups of n_cols columns as the encoding tells, and as g_idx does where it is not null. Fails
// (kCorrupt) where that names a group that is none.
inline Result<ColumnGroups> column_groups(const Encoding& encoding, const RawTensor* g_idx,
                                          int64_t n_cols) {
  ColumnGroups groups{.size = encoding.group_size > 0 ? encoding.group_size : n_cols};
  if (!g_idx) return groups;
  if (g_idx->type->name != "I32" || g_idx->shape.n_elements() != n_cols)
    return misshapen(*g_idx, fmt::format("I32 [{}]", n_cols));
  groups.of = g_idx->bytes.data();
  const int64_t n_groups = (n_cols + groups.size - 1) / groups.size;
  for (int64_t i = 0; i < n_cols; ++i)
    if (const int64_t group = groups(i); group < 0 || group >= n_groups)
      return corrupt("tensor {}: element {} is {}, expected 0..{}", in_quotes(g_idx->name), i,
                     group, n_groups - 1);
  return groups;
}

}  // namespace nibble
