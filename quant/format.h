// Quantization formats as rows of a registry. What a format is (Format) does not depend on the
// processor; how fast it goes (Kernels) has one row for each instruction set. A format's kernels
// are one file in quant/types/, compiled once per instruction set, so this header stays free of
// inline functions of the library: see DESIGN.md, Instruction sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nibble::quant {

// How the kernels of a format want the activations that they multiply with.
enum class ActivationKind : uint8_t {
  kF32,      // as they are: float weights in prompts, and weights that are decoded first
  kQ8x32,    // int8 codes, one f32 scale for 32
  kQ8x256,   // int8 codes, one f32 scale for 256
  kFloat16,  // rows as f32, tiles as bf16: 16-bit float weights
};
inline constexpr int kActivationKinds = 4;

// A weight format. block_len weights are stored in block_bytes bytes; a row is whole blocks.
struct Format {
  std::string_view name;  // lower case: "q4_k"
  uint32_t gguf_type;     // the type's number in GGUF files
  int block_len;          // weights per block
  int block_bytes;
  float max_error_in_steps;  // |x - decode(encode(x))| in units of the block's step; 0 where exact;
                             // see the format's file
  ActivationKind activation;

  constexpr double bpw() const { return 8.0 * block_bytes / block_len; }
  // Bytes of a row of n_cols weights; n_cols must be a multiple of block_len.
  constexpr size_t row_bytes(int64_t n_cols) const {
    return static_cast<size_t>(n_cols / block_len) * block_bytes;
  }
};

// Rows that a panel holds and tokens that a tile holds at most.
inline constexpr int kPanelRows = 16;
inline constexpr int kTileTokens = 16;

// Tokens that one row product takes at most.
inline constexpr int kRowTokens = 8;

// y[t * y_stride + r] = sum_c w[r, c] * x[t, c] for n_rows consecutive rows and n_tokens <=
// kRowTokens tokens, packed by ActivationKernels::pack_row, x_bytes apart.
struct RowProduct {
  const std::byte* w;
  size_t row_bytes;
  int n_rows, n_cols;
  const std::byte* x;
  size_t x_bytes;
  int n_tokens;
  float* y;
  size_t y_stride;
};

// Rows that a product of a tile with rows as they stand in the file takes at most.
inline constexpr int kGemmRows = 64;

// out[t * out_stride + r] = sum_c w[r, c] * x[t, c] for n_rows <= kGemmRows consecutive rows and
// n_tokens tokens, all that pack_tile has put into the tile.
struct TileProduct {
  const std::byte* w;
  size_t row_bytes;
  int n_rows, n_cols;
  const std::byte* tile;
  int n_tokens;
  float* out;
  size_t out_stride;
  const std::byte* ahead;  // bytes that a later call will want, asked for meanwhile
  size_t ahead_bytes;
};

// The sums of a panel, to the bit, for a tile of at most max_tokens tokens and without a panel; out
// need not be set before. Where that is faster, else 0 and null. Asks for the bytes behind the
// rows.
struct FewTokens {
  int max_tokens = 0;
  void (*gemm)(const TileProduct& product) = nullptr;
};

// One format's functions for one instruction set. Pointers may be null where a format has none:
// what is missing is the work of core/ops. All counts are checked by the caller; nothing here
// fails. w points at n_rows rows, row_bytes apart, in the file's own layout; n_cols is a multiple
// of block_len.
struct Kernels {
  const Format* format;
  // blocks -> out[n]; n a multiple of block_len. Exact: the reference decoding, rounded once to
  // f32.
  void (*dequantize)(const std::byte* blocks, int64_t n, float* out);
  // x[n] -> blocks. The nearest codes without importance, as llama.cpp's reference does.
  void (*quantize)(const float* x, int64_t n, std::byte* blocks);
  // Generation: a row product, which reads the weights once. The order of summation of one output
  // depends on n_cols alone, not on n_tokens or n_rows.
  void (*gemv)(const RowProduct& product) = nullptr;
  // Prefill: expands n_rows <= kPanelRows rows into a panel of panel_bytes(n_cols) bytes (64-byte
  // aligned; missing rows repeat the last), then multiplies it with a tile of n_tokens <=
  // kTileTokens tokens packed by pack_tile:
  //   out[t * out_stride + r] += sum_c w[r, c] * x[t, c],  t < n_tokens, r < n_rows.
  // Columns are added one block after the other: the result does not depend on n_tokens or n_rows,
  // nor on whether columns come at once or in several calls, each of whole blocks of at least 32.
  size_t (*panel_bytes)(int n_cols) = nullptr;
  void (*expand_panel)(const std::byte* w, size_t row_bytes, int n_rows, int n_cols,
                       std::byte* panel) = nullptr;
  void (*multiply_panel)(const std::byte* panel, int n_rows, int n_cols, const std::byte* tile,
                         int n_tokens, float* out, size_t out_stride) = nullptr;
  FewTokens few = {};
  // Prefill of float formats without panels: a product of kF32's tile with rows as they are, where
  // there is FMA. The order of summation of one output depends on n_cols alone.
  void (*gemm)(const TileProduct& product) = nullptr;
  // Whether this processor has what panels need beyond the instruction set; null: nothing. Where
  // not, kernels() gives none.
  bool (*has_panels)() = nullptr;
};

// How activations of one kind are packed, for one instruction set. Buffers are 64-byte aligned.
struct ActivationKernels {
  size_t (*row_bytes)(int n_cols);
  void (*pack_row)(const float* x, int n_cols, std::byte* row);
  size_t (*tile_bytes)(int n_cols);  // of a tile of kTileTokens tokens
  // Tokens t < n_tokens at x + t * x_stride (in floats). The others become zeros; kF32 may leave
  // them out.
  void (*pack_tile)(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile);
};

// The registry. All formats that are built in, by GGUF number.
std::span<const Format* const> formats();
const Format* find_gguf_type(uint32_t gguf_type);  // nullptr: not built in
const Format* find_format(std::string_view name);  // nullptr: no such name; case is ignored
// The kernels for the instruction set in use (quant/dispatch.h).
const Kernels& kernels(const Format& format);
const ActivationKernels& activation_kernels(ActivationKind kind);

}  // namespace nibble::quant
