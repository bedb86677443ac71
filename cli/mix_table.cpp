#include "cli/mix_table.h"

#include <fmt/format.h>

#include "quant/recipe.h"

namespace nibble::cli {

std::string mix_table() {
  constexpr int kPerLine = 4;
  std::string text =
      "Types, and the bits that each takes for a weight of Llama 3.1 8B (*: asks for importance):";
  int n = 0;
  for (const quant::Mix& mix : quant::mixes()) {
    if (!quant::can_write(mix)) continue;
    const bool asks = quant::needs_importance(mix);
    text += fmt::format("{}{:<9} {:>7.4f}{}", n++ % kPerLine == 0 ? "\n  " : "   ", mix.name,
                        quant::typical_bpw(mix), asks ? '*' : ' ');
  }
  return text + "\n";
}

}  // namespace nibble::cli
