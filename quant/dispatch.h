// Which instruction set the kernels run on: chosen once, at the first question, as the best that
// processor and operating system allow, or as the environment variable NIBBLE_ISA names it.
#pragma once

#include <span>
#include <string_view>

#include "core/base/error.h"

namespace nibble::quant {

// The name of the instruction set in use: "scalar", "avx2", "avx512", ...
std::string_view isa_name();
int isa_index();  // its place in compiled_isas()
// All that are compiled in, worst first, and of these the ones this machine can run.
std::span<const std::string_view> compiled_isas();
std::span<const std::string_view> runnable_isas();
// Fails (kUsage) when NIBBLE_ISA names one that is unknown or cannot run here. Called once by main
// before anything else.
Result<void> select_isa();
// Forces one of runnable_isas() for the calls that follow: tests compare them. Not thread-safe.
Result<void> force_isa(std::string_view name);

}  // namespace nibble::quant
