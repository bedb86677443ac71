#include "core/ops/kernels/functions.h"

namespace nibble::kernels::NIBBLE_ISA {

extern const OpsKernels table;
constinit const OpsKernels table = {
    .rms_norm = rms_norm,
    .activate = activate,
    .activate_gated = activate_gated,
    .softcap = softcap,
    .all_finite = all_finite,
    .rotate_adjacent = rotate_adjacent,
    .rotate_halves = rotate_halves,
    .add_rows = add_rows,
    .rows_to_tile = rows_to_tile,
    .tile_to_rows = tile_to_rows,
    .dot = dot,
    .prompt_chunk = prompt_chunk,
    .token_chunk = token_chunk,
    .kv_rows = kv_rows,
    .prompt_bf16 = &prompt_bf16,
};

}  // namespace nibble::kernels::NIBBLE_ISA
