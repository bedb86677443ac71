#include "core/ops/kernels/functions.h"

namespace nibble::kernels::NIBBLE_ISA {

extern const OpsKernels table;
constinit const OpsKernels table = {
    rms_norm, activate,  activate_gated, softcap,      rotate_adjacent, rotate_halves, add_rows,
    to_half,  from_half, copy,           rows_to_tile, tile_to_rows,    prompt_chunk,  token_chunk};

}  // namespace nibble::kernels::NIBBLE_ISA
