// Texts of config.json beside what their hyperparameters have to be.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/models/hparams.h"

namespace nibble::tests {

struct ConfigRow {
  const char* hf_class;  // null: the text names it
  const char* what;
  const char* config;
  bool (*right)(const Hparams& h);
};

// Checks each row. A text with a class beside it is of a small model: sizes that it does not give
// are 4 heads, 64 and 96 values, and 4 layers.
void check_rows(std::span<const ConfigRow> rows);

// Why a text of such a row is refused; empty: it is not.
std::string config_fault(const char* hf_class, const char* config);

inline bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }
inline bool all(const std::vector<bool>& flags, bool value) {
  return !flags.empty() && std::ranges::all_of(flags, [&](bool f) { return f == value; });
}

}  // namespace nibble::tests
