#include "core/ops/packed.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/ops/dense.h"

namespace nibble {
namespace {

using quant::ActivationKind;
using quant::kPanelRows;
using quant::kTileTokens;

// Sizes are asked for whole blocks of any format.
int whole_blocks(int n_cols) { return (n_cols + 255) / 256 * 256; }

size_t tile_bytes(ActivationKind kind, int n_cols) {
  return Arena::aligned(quant::activation_kernels(kind).tile_bytes(n_cols));
}
size_t row_bytes(ActivationKind kind, int n_cols) {
  return Arena::aligned(quant::activation_kernels(kind).row_bytes(n_cols));
}

// Whether rows of w are multiplied with f32 activations as they stand in the file.
bool has_gemm(const Matrix& w) { return !w.decoder && quant::kernels(*w.format).gemm; }

// Columns expanded at once, of kPanelRows rows: whole blocks, and of few bytes, since a processor
// has some 30 requests for lines under way and drops more.
int part_cols_of(const quant::Format& format) {
  constexpr size_t kMostBytes = 4096;
  int n = 256;
  while (kPanelRows * format.row_bytes(n) > kMostBytes && n / 2 >= std::max(format.block_len, 32))
    n /= 2;
  return n;
}

}  // namespace

ActivationKind kind_of(const Matrix& w, Phase phase, bool exact) {
  if (w.decoder) return ActivationKind::kF32;
  const quant::Kernels& k = quant::kernels(*w.format);
  const bool has_kernels =
      phase == Phase::kPrompt ? k.multiply_panel != nullptr : k.gemv != nullptr;
  return exact || !has_kernels ? ActivationKind::kF32 : w.format->activation;
}

size_t whole_tiles(int n_tokens) {
  return (static_cast<size_t>(n_tokens) + kTileTokens - 1) / kTileTokens;
}

size_t PackedX::bytes_needed(ActivationKind kind, int max_tokens, int max_cols) {
  const int n_cols = whole_blocks(max_cols);
  return std::max(whole_tiles(max_tokens) * tile_bytes(kind, n_cols),
                  max_tokens * row_bytes(kind, n_cols));
}

const std::byte* PackedX::tile(ActivationKind kind, int i) const {
  return data[static_cast<int>(kind)] + i * tile_bytes(kind, n_cols);
}
const std::byte* PackedX::row(ActivationKind kind, int token) const {
  return data[static_cast<int>(kind)] + token * row_bytes(kind, n_cols);
}

void PackedX::pack_tile(const Kinds& kinds, int i, ConstRows x) const {
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    if (kinds[kind])
      quant::activation_kernels(ActivationKind(kind))
          .pack_tile(x.data, x.stride, x.rows, n_cols,
                     data[kind] + i * tile_bytes(ActivationKind(kind), n_cols));
}

void PackedX::pack_row(const Kinds& kinds, int token, const float* x) const {
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    if (kinds[kind])
      quant::activation_kernels(ActivationKind(kind))
          .pack_row(x, n_cols, data[kind] + token * row_bytes(ActivationKind(kind), n_cols));
}

size_t Panel::bytes_needed(int max_cols) {
  const int n_cols = whole_blocks(max_cols);
  size_t most = dense::kRows * dense::padded_cols(n_cols) * sizeof(float);
  for (const quant::Format* format : quant::formats()) {
    const quant::Kernels& k = quant::kernels(*format);
    if (k.panel_bytes)
      most = std::max(most, kMaxRows / kPanelRows * Arena::aligned(k.panel_bytes(n_cols)));
  }
  return Arena::aligned(most);
}

int Panel::max_rows(const Matrix& w, ActivationKind kind) {
  return kind == ActivationKind::kF32 && !has_gemm(w) ? dense::kRows : kMaxRows;
}

Panel::Panel(const Matrix& w, ActivationKind kind, int first, int n_rows, int n_tiles,
             std::byte* memory)
    : kernels_(quant::kernels(w.decoder ? *quant::find_format("f32") : *w.format)),
      kind_(kind),
      n_rows_(n_rows),
      n_cols_(w.n_cols),
      n_tiles_(n_tiles),
      decoded_(kind == ActivationKind::kF32 && !has_gemm(w)),
      part_cols_(part_cols_of(*kernels_.format)),
      memory_(memory) {
  NIBBLE_ASSERT(n_rows <= max_rows(w, kind));
  if (decoded_) {
    dense::expand(w, first, n_rows, reinterpret_cast<float*>(memory));
    return;
  }
  row_bytes_ = w.row_bytes();
  rows_ = w.data + first * row_bytes_;
  end_ = w.data + w.n_rows * row_bytes_;
  if (kind == ActivationKind::kF32) return;
  group_bytes_ = Arena::aligned(kernels_.panel_bytes(n_cols_));
  if (n_tiles == 1) return;
  for (int r = 0; r < n_rows; r += kPanelRows)
    for (int at = 0; at < n_cols_; at += part_cols_)
      expand_part(r, at, group(r) + kernels_.panel_bytes(at));
}

// Half of the share that these columns have in the next group's bytes is asked for before, half
// behind, in address order: the 16 rows that are expanded together are 16 streams to the processor.
void Panel::expand_part(int r, int at, std::byte* to) const {
  const auto bytes = [this](int cols) { return kernels_.format->row_bytes(cols); };
  const int n = part_cols(at);
  const std::byte *rows = rows_ + r * row_bytes_,
                  *ahead = rows + kPanelRows * (row_bytes_ + bytes(at));
  const size_t half = kPanelRows / 2 * bytes(n);
  prefetch(in_file(ahead, half));
  kernels_.expand_panel(rows + bytes(at), row_bytes_, group_rows(r), n, to);
  prefetch(in_file(ahead + half, half));
}

std::span<const std::byte> Panel::in_file(const std::byte* begin, size_t n_bytes) const {
  if (begin >= end_) return {};
  return {begin, std::min(n_bytes, static_cast<size_t>(end_ - begin))};
}
std::span<const std::byte> Panel::share_of_next() {
  const size_t bytes = n_rows_ * row_bytes_, begin = bytes * n_shares_ / n_tiles_,
               end = bytes * (n_shares_ + 1) / n_tiles_;
  ++n_shares_;
  return in_file(rows_ + bytes + begin, end - begin);
}
void Panel::prefetch(std::span<const std::byte> bytes) const {
  for (size_t i = 0; i < bytes.size(); i += 64) __builtin_prefetch(&bytes[i], 0, 2);
  asm volatile("");  // g++ drops calls of functions that do nothing else than this
}

void Panel::multiply(const PackedX& x, int tile, int n_tokens, float* out, size_t out_stride) {
  const std::byte* tokens = x.tile(kind_, tile);
  if (kind_ == ActivationKind::kF32) return multiply_floats(tokens, n_tokens, out, out_stride);
  if (n_tiles_ == 1 && n_tokens <= kernels_.few.max_tokens)
    return kernels_.few.gemm(
        {rows_, row_bytes_, n_rows_, n_cols_, tokens, n_tokens, out, out_stride, nullptr, 0});
  for (int t = 0; t < n_tokens; ++t) std::fill_n(out + t * out_stride, n_rows_, 0.0f);
  if (n_tiles_ > 1) prefetch(share_of_next());
  const auto tile_bytes = quant::activation_kernels(kind_).tile_bytes;
  for (int r = 0; r < n_rows_; r += kPanelRows) {
    if (n_tiles_ > 1) {
      kernels_.multiply_panel(group(r), group_rows(r), n_cols_, tokens, n_tokens, out + r,
                              out_stride);
      continue;
    }
    for (int at = 0; at < n_cols_; at += part_cols_) {
      expand_part(r, at, memory_);
      kernels_.multiply_panel(memory_, group_rows(r), part_cols(at), tokens + tile_bytes(at),
                              n_tokens, out + r, out_stride);
    }
  }
}

// One tile alone asks for the next group of rows while it multiplies one; where there are more, the
// first has brought all of them into L2.
void Panel::multiply_floats(const std::byte* tokens, int n_tokens, float* out, size_t out_stride) {
  if (decoded_)
    return dense::multiply_tile(reinterpret_cast<const float*>(memory_), n_rows_, n_cols_, tokens,
                                n_tokens, out, out_stride);
  const int n_together = n_tiles_ == 1 ? kPanelRows : n_rows_;
  for (int r = 0; r < n_rows_; r += n_together) {
    const int n = std::min(n_together, n_rows_ - r);
    const std::byte* rows = rows_ + r * row_bytes_;
    const auto ahead =
        n_tiles_ == 1 ? in_file(rows + n * row_bytes_, n * row_bytes_) : share_of_next();
    kernels_.gemm({rows, row_bytes_, n, n_cols_, tokens, n_tokens, out + r, out_stride,
                   ahead.data(), ahead.size()});
  }
}

int rows_per_task(const Matrix& w, size_t task_bytes) {
  const size_t rows = (std::min(task_bytes, kMostTaskBytes) / w.row_bytes() + 4) / 4 * 4;
  return static_cast<int>(std::min<size_t>(rows, kMaxTaskRows));
}

void multiply_rows(const Matrix& w, ActivationKind kind, int first, const PackedX& x, int token,
                   std::byte* memory, Rows out) {
  const size_t bytes = w.row_bytes();
  if (kind != ActivationKind::kF32)
    return quant::kernels(*w.format).gemv({w.data + first * bytes, bytes, out.cols, w.n_cols,
                                           x.row(kind, token), row_bytes(kind, w.n_cols), out.rows,
                                           out.data, out.stride});
  float* row = reinterpret_cast<float*>(memory);
  const size_t padded = dense::padded_cols(w.n_cols);
  std::fill(row + w.n_cols, row + padded, 0.0f);
  for (int r = 0; r < out.cols; ++r) {
    w.decode(first + r, row);
    for (int t = 0; t < out.rows; ++t)
      out.row(t)[r] =
          dense::dot(row, reinterpret_cast<const float*>(x.row(kind, token + t)), padded);
  }
}

}  // namespace nibble
