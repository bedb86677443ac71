// Choice of the instruction set.
#include "quant/dispatch.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/cpu_features.h"
#include "quant/format.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace nibble::quant {
namespace {

std::atomic<int> chosen{-1};

bool runs_here(std::string_view isa) {
#if defined(__x86_64__)
  const CpuFeatures& f = cpu_features();
  const bool avx2 = f.avx2 && f.fma && f.f16c && f.bmi2;
  const bool avx512vnni = avx2 && f.avx512f && f.avx512vl && f.avx512_vnni;
  if (isa == "avx2") return avx2;
  if (isa == "avxvnni") return avx2 && f.avx_vnni;
  if (isa == "avx512vnni") return avx512vnni;
  if (isa == "avx512") return avx512vnni && f.avx512bw && f.avx512dq && f.avx512_vbmi && f.gfni;
#elif defined(__aarch64__)
  const bool neon = getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
  if (isa == "neon") return neon;
  if (isa == "i8mm") return neon && (getauxval(AT_HWCAP2) & HWCAP2_I8MM);
#endif
  return isa == "scalar";
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

std::span<const std::string_view> runnable_isas() {
  static const auto names = [] {
    std::vector<std::string_view> found;
    std::ranges::copy_if(compiled_isas(), std::back_inserter(found), runs_here);
    return found;
  }();
  return names;
}

Result<void> force_isa(std::string_view name) {
  const auto all = compiled_isas();
  const auto at = std::ranges::find(all, name);
  if (at == all.end())
    return fail(ErrorKind::kUsage, "NIBBLE_ISA={}: no such instruction set; built in: {}", name,
                joined(all));
  if (!runs_here(name))
    return fail(ErrorKind::kUsage, "NIBBLE_ISA={}: this machine cannot run it; it can run: {}",
                name, joined(runnable_isas()));
  chosen = static_cast<int>(at - all.begin());
  return {};
}

Result<void> select_isa() {
  const char* given = std::getenv("NIBBLE_ISA");
  return force_isa(given && *given ? given : runnable_isas().back());
}

int isa_index() {
  if (const int isa = chosen.load(std::memory_order_relaxed); isa >= 0) return isa;
  NIBBLE_ASSERT(select_isa().has_value());
  return chosen;
}

std::string_view isa_name() { return compiled_isas()[isa_index()]; }

}  // namespace nibble::quant
