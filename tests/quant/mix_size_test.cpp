// Bits per weight of the mixes against the sizes that llama.cpp publishes for Llama 3.1 8B.
#include <doctest/doctest.h>

#include <cmath>

#include "quant/recipe.h"

using namespace nibble;

TEST_CASE("mixes take the bits per weight that llama.cpp measured") {
  struct Row {
    const char* mix;
    double bpw;
  };
  constexpr Row kRows[] = {
      {"f32", 32},         {"f16", 16.0005},   {"q8_0", 8.5008},    {"q6_k", 6.5633},
      {"q5_k_m", 5.7036},  {"q5_k_s", 5.5704}, {"q4_k_m", 4.8944},  {"q4_k_s", 4.6672},
      {"iq4_nl", 4.6818},  {"iq4_xs", 4.4597}, {"q3_k_l", 4.2979},  {"q3_k_m", 3.9960},
      {"q3_k_s", 3.6429},  {"iq3_m", 3.7628},  {"iq3_s", 3.6606},   {"iq3_xs", 3.4977},
      {"iq3_xxs", 3.2548}, {"q2_k", 3.1593},   {"q2_k_s", 2.9697},  {"iq2_m", 2.9294},
      {"iq2_s", 2.7403},   {"iq2_xs", 2.5882}, {"iq2_xxs", 2.3824}, {"iq1_m", 2.1460},
      {"iq1_s", 2.0042},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.mix);
    CHECK(quant::typical_bpw(*quant::find_mix(row.mix)) == doctest::Approx(row.bpw).epsilon(2e-5));
  }
}
