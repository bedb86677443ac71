// The shim of the instruction set that this file is being compiled for. Everything in it lives in
// the namespace of that instruction set, so that no function compiled for one can be taken by the
// linker for another.
#pragma once

#if defined(NIBBLE_ISA_avx512)
#include "quant/isa/avx512.h"
#elif defined(NIBBLE_ISA_avx2)
#include "quant/isa/avx2.h"
#else
#include "quant/isa/scalar.h"
#endif
