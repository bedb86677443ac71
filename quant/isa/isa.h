// The shim of the instruction set that this file is being compiled for. Everything in it lives in
// the namespace of that instruction set, so that no function compiled for one can be taken by the
// linker for another.
#pragma once

#include "quant/kernels/panel.h"

#if defined(NIBBLE_ISA_avx512)
#include "quant/isa/avx512.h"
#include "quant/isa/avx512_bf16.h"
#include "quant/isa/avx512_folded.h"
#elif defined(NIBBLE_ISA_avx2)
#include "quant/isa/avx2.h"
#elif defined(NIBBLE_ISA_neon)
#include "quant/isa/neon.h"
#else
#include "quant/isa/scalar.h"
#endif

#if !defined(NIBBLE_ISA_avx512)
namespace nibble::quant::NIBBLE_ISA {
inline constexpr PanelKernels kBf16Panel{};  // no bf16 unit: float products serve
inline constexpr bool kFoldsScales = false;
}  // namespace nibble::quant::NIBBLE_ISA
#endif
#if !defined(NIBBLE_ISA_avx2) || defined(NIBBLE_ISA_avxvnni) || defined(NIBBLE_ISA_avx512vnni)
namespace nibble::quant::NIBBLE_ISA {  // what quant/isa/avx2_tile.h and avx2_few.h are for
template <class F>
inline constexpr bool kSplitsSigns = false;
inline constexpr bool kScalesProducts = false;
template <class F>
using ScaledPanel = void;
template <class F>
inline constexpr FewTokens kFewTokens{};
}  // namespace nibble::quant::NIBBLE_ISA
#endif
#if !defined(NIBBLE_ISA_i8mm)
namespace nibble::quant::NIBBLE_ISA {
template <class Panel>  // an expanded panel's codes lie as Panel32 and Panel256 say
inline void arrange_codes(Panel&) {}
}  // namespace nibble::quant::NIBBLE_ISA
#endif
