// The vector kernels of core/ops, one table for each instruction set. Free of inline library
// functions, as it is compiled once for each of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ops/activation.h"

namespace nibble::kernels {

// Rows of a query tile, and keys of a chunk.
inline constexpr int kQueryRows = 32;
inline constexpr int kChunkKeys = 64;

// One chunk of keys and values against n_rows queries, rows in lanes: a matrix "in tiles" [d,
// n_rows] holds for each kQueryRows rows a matrix [d, kQueryRows]. n_rows is a multiple of
// kQueryRows.
struct PromptChunk {
  const float* q;               // in tiles: [d_k, n_rows], scaled
  float* out;                   // in tiles: [d_v, n_rows], weighted values so far
  float* max;                   // [n_rows] largest score so far
  float* sum;                   // [n_rows] of e^(score - max)
  const float* first;           // [n_rows] first visible position
  const float* last;            // [n_rows] last visible position
  const float* slopes;          // [n_rows] ALiBi, or null
  const float* keys;            // [kChunkKeys, d_k]
  const float* values;          // [kChunkKeys, value_stride]
  const uint32_t* value_pairs;  // for PromptBf16: bf16, two keys together [kChunkKeys / 2, d_v]
  float* scores;                // scratch [kChunkKeys, kQueryRows]
  float softcap;
  int position;  // of the chunk's first key
  int n_keys;    // keys looked at; the others and hidden ones count nothing
  int n_rows, d_k, d_v;
  int value_stride;  // >= d_v: from one value to the next
  bool masked;       // some key is hidden from some row
  bool wild_values;  // some value is infinite or NaN
};

// Prompt attention with bf16 dot units; null where the instruction set has none. pair_values rounds
// a chunk's values as PromptChunk wants them.
struct PromptBf16 {
  void (*pair_values)(const float* values, int stride, int d_v, uint32_t* out);
  void (*chunk)(const PromptChunk& chunk);
};

// One chunk against the n_head query heads of one token that share these keys.
struct TokenChunk {
  const float* q;         // [n_head, d_k], scaled
  const std::byte* keys;  // n_keys rows of d_k numbers, key_bytes apart
  const std::byte* values;
  const float* slopes;  // [n_head] or null
  float* out;           // [n_head, out_stride]: maximum, sum, weighted values [d_v]
  size_t out_stride;
  float softcap;
  int distance;  // position of the first key - position of the query
  int n_keys, n_head, d_k, d_v;
  size_t key_bytes, value_bytes;  // of a row
  int key_format, value_format;   // KvFormat
};

// Rows of the KV cache in one KvFormat.
struct KvRowKernels {
  void (*write)(const float* x, int width, std::byte* row);
  // n_rows rows -> out [n_rows, width]; whether all numbers are finite.
  bool (*read)(const std::byte* rows, size_t row_bytes, int n_rows, int width, float* out);
};

struct OpsKernels {
  void (*rms_norm)(const float* x, const float* weight, int n, float eps, float* out);
  void (*activate)(Activation f, const float* x, int n, float* out);
  void (*activate_gated)(Activation f, const float* gate, const float* up, int n, float* out);
  void (*softcap)(float* x, int n, float cap);
  bool (*all_finite)(const float* x, int n);
  void (*rotate_adjacent)(const float* table, float* x, int n_pairs);
  void (*rotate_halves)(const float* table, float* x, int n_pairs);
  void (*add_rows)(const float* sums, const float* bias, float* out, int n, bool add);
  // Four rows of d values into and out of a matrix in tiles, each multiplied by its scale.
  void (*rows_to_tile)(const float* const* rows, const float* scales, int d, float* tile);
  void (*tile_to_rows)(const float* tile, const float* scales, int d, float* const* rows);
  float (*dot)(const float* a, const float* b, size_t n);  // n a multiple of 64
  void (*prompt_chunk)(const PromptChunk& chunk);
  void (*token_chunk)(const TokenChunk& chunk);
  const KvRowKernels* kv_rows;  // by KvFormat
  const PromptBf16* prompt_bf16;
};

// For the instruction set in use (quant/dispatch.h).
const OpsKernels& ops_kernels();
// Nothing but 8-bit multiply-adds, as fast as that instruction set has them: the roof that products
// are held against. Returns how many; a round takes some 6 ns.
int64_t peak_multiply_adds(int64_t rounds);
// Reads n_bytes, a multiple of 256, in address order, by loads as wide as that instruction set has;
// returns the sum of their 64-bit words.
uint64_t peak_read(const std::byte* data, size_t n_bytes);

}  // namespace nibble::kernels
