// The shim of the instruction set that this file is being compiled for. Everything in it lives in
// the namespace of that instruction set, so that no function compiled for one can be taken by the
// linker for another.
#pragma once

#include "quant/kernels/panel.h"

#if defined(NIBBLE_ISA_avx512)
#include "quant/isa/avx512.h"
#include "quant/isa/avx512_bf16.h"
#elif defined(NIBBLE_ISA_avx2)
#include "quant/isa/avx2.h"
#else
#include "quant/isa/scalar.h"
#endif

#if !defined(NIBBLE_ISA_avx512)
namespace nibble::quant::NIBBLE_ISA {
inline constexpr PanelKernels kBf16Panel{};  // no bf16 unit: dense f32 products serve
}
#endif
