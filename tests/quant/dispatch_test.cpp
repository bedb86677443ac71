// Which instruction sets are offered, against what core/base reads from the processor itself.
#include "quant/dispatch.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/cpu_features.h"

using namespace nibble;

namespace {

bool runs(std::string_view isa) {
  const auto names = quant::runnable_isas();
  return std::ranges::find(names, isa) != names.end();
}

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
  check_offered("avx512", vnni && f.avx512bw && f.avx512dq && f.avx512_vbmi);
  check_offered("mmx", false);
  REQUIRE(quant::select_isa());
}
