// What the files of this folder define for one instruction set: the entries of its table.
#pragma once

#include "core/ops/kernels/kernels.h"

namespace nibble::kernels::NIBBLE_ISA {

void rms_norm(const float* x, const float* weight, int n, float eps, float* out);
void activate(Activation f, const float* x, int n, float* out);
void activate_gated(Activation f, const float* gate, const float* up, int n, float* out);
void softcap(float* x, int n, float cap);
bool all_finite(const float* x, int n);
void rotate_adjacent(const float* table, float* x, int n_pairs);
void rotate_halves(const float* table, float* x, int n_pairs);
void add_rows(const float* sums, const float* bias, float* out, int n, bool add);
void rows_to_tile(const float* const* rows, const float* scales, int d, float* tile);
void tile_to_rows(const float* tile, const float* scales, int d, float* const* rows);
float dot(const float* a, const float* b, size_t n);
void prompt_chunk(const PromptChunk& chunk);
void token_chunk(const TokenChunk& chunk);
extern const KvRowKernels kv_rows[];
extern const PromptBf16 prompt_bf16;

}  // namespace nibble::kernels::NIBBLE_ISA
