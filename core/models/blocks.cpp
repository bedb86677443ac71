// See blocks.h.
#include "core/models/blocks.h"

#include <cmath>

namespace nibble {

BlockOptions common_block(const Hparams& h, int layer) {
  BlockOptions o;
  o.eps = h.eps;
  o.parallel = h.parallel;
  o.rope = h.rope.n_rot > 0 && h.has_rope(layer) && !h.alibi;
  o.swa_rope = h.is_sliding(layer) && h.rope_swa != h.rope;
  o.alibi = h.alibi;
  o.scale = h.attn_scale != 0 ? h.attn_scale : 1 / std::sqrt(static_cast<float>(h.d_k));
  o.softcap = h.attn_softcap;
  o.window = h.is_sliding(layer) ? h.window : 0;
  o.activation = h.activation;
  o.clamp_kqv = h.clamp_kqv;
  o.residual_scale = h.residual_scale;
  o.moe = h.is_moe(layer);
  return o;
}

void unscale(RopeHparams& rope) {
  RopeHparams plain;
  plain.base = rope.base;
  plain.n_rot = rope.n_rot;
  plain.first = rope.first;
  plain.pairs = rope.pairs;
  rope = plain;
}

}  // namespace nibble
