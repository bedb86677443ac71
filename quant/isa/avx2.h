// AVX2 with FMA and F16C.
#pragma once

#include "quant/isa/scalar.h"
