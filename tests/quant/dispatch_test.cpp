// Which instruction sets are offered, against what the kernel lists in /proc/cpuinfo.
#include "quant/dispatch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <string>

using namespace nibble;

namespace {

bool runs(std::string_view isa) {
  const auto names = quant::runnable_isas();
  return std::ranges::find(names, isa) != names.end();
}

// The "flags" of the first processor, each between spaces; there are none on ARM.
std::string listed_flags() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("flags")) return line + ' ';
  return {};
}
bool listed(std::initializer_list<const char*> names) {
  static const std::string flags = listed_flags();
  return std::ranges::all_of(names,
                             [](std::string name) { return flags.contains(' ' + name + ' '); });
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
  const bool avx2 = listed({"avx2", "fma", "f16c", "bmi2"});
  const bool vnni = avx2 && listed({"avx512f", "avx512vl", "avx512_vnni"});
  check_offered("avx2", avx2);
  check_offered("avxvnni", avx2 && listed({"avx_vnni"}));
  check_offered("avx512vnni", vnni);
  check_offered("avx512", vnni && listed({"avx512bw", "avx512dq", "avx512vbmi", "gfni"}));
  check_offered("neon", has_dotprod());
  check_offered("i8mm", has_dotprod() && has_i8mm());
  check_offered("mmx", false);
  REQUIRE(quant::select_isa());
}
