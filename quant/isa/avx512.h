// AVX-512 with BW, DQ, VL, VBMI and VNNI.
#pragma once

#include "quant/isa/scalar.h"
