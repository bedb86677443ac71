// Which instruction sets are offered, against what core/base reads from the processor itself.
#include "quant/dispatch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "core/base/cpu_features.h"

using namespace nibble;

namespace {

bool runs(std::string_view isa) {
  const auto names = quant::runnable_isas();
  return std::ranges::find(names, isa) != names.end();
}

#if defined(__aarch64__)
// Whether the identification registers name the extension (Arm Architecture Reference Manual,
// ID_AA64ISAR0_EL1 and ID_AA64ISAR1_EL1; Linux lets programs read them).
bool has_dotprod() {
  uint64_t bits;
  __asm__("mrs %0, id_aa64isar0_el1" : "=r"(bits));
  return bits >> 44 & 15;
}
bool has_i8mm() {
  uint64_t bits;
  __asm__("mrs %0, id_aa64isar1_el1" : "=r"(bits));
  return bits >> 52 & 15;
}
#else
bool has_dotprod() { return false; }
bool has_i8mm() { return false; }
#endif

void check_offered(std::string_view isa, bool able) {
  CAPTURE(isa);
  const auto all = quant::compiled_isas();
  const bool compiled = std::ranges::find(all, isa) != all.end();
  CHECK(runs(isa) == (compiled && able));
  CHECK(quant::force_isa(isa).has_value() == (compiled && able));
}

}  // namespace

TEST_CASE("an instruction set is offered where the processor has all of its parts") {
  const CpuFeatures& f = cpu_features();
  const bool avx2 = f.avx2 && f.fma && f.f16c && f.bmi2;
  const bool vnni = avx2 && f.avx512f && f.avx512vl && f.avx512_vnni;
  check_offered("avx2", avx2);
  check_offered("avxvnni", avx2 && f.avx_vnni);
  check_offered("avx512vnni", vnni);
  check_offered("avx512", vnni && f.avx512bw && f.avx512dq && f.avx512_vbmi && f.gfni);
  check_offered("neon", has_dotprod());
  check_offered("i8mm", has_dotprod() && has_i8mm());
  check_offered("mmx", false);
  REQUIRE(quant::select_isa());
}
