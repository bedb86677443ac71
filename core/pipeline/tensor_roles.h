// What GGUF keeps of a tensor by its role, whatever a folder stored.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/models/architecture.h"

namespace nibble {

// It is computed with as f32 values, whatever its rank.
inline bool is_vector(const TensorSpec& spec) {
  return spec.shape.n_dims == 1 || !spec.gguf_name.ends_with(".weight") ||
         spec.gguf_name.contains("_norm.");
}

// It is stored as floats in every file: vectors, and small matrices.
inline bool is_float_role(const TensorSpec& spec) {
  constexpr std::string_view kRoles[] = {"ffn_gate_inp", "position_embd", "attn_sinks"};
  return is_vector(spec) || std::ranges::any_of(kRoles, [&](std::string_view role) {
           return spec.gguf_name.contains(role);
         });
}

}  // namespace nibble
