// The types that quantize writes, as a table for its help.
#pragma once

#include <string>

namespace nibble::cli {

std::string mix_table();

}  // namespace nibble::cli
