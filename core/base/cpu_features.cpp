// Bits as in Intel's manual, volume 2, CPUID leaves 1 and 7; a vector register may be used only if
// XGETBV says that the operating system saves it.
#include "core/base/cpu_features.h"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nibble {
namespace {

#if defined(__x86_64__)
struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Leaf r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // zeros where there is none
  return r;
}

bool bit(uint32_t word, int index) { return word >> index & 1; }

uint64_t saved_registers() {  // XCR0
  uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

std::string brand_name() {
  if (cpuid(0x80000000u).eax < 0x80000004u) return {};
  std::array<Leaf, 3> leaves{cpuid(0x80000002u), cpuid(0x80000003u), cpuid(0x80000004u)};
  std::array<char, sizeof leaves + 1> text{};
  std::memcpy(text.data(), leaves.data(), sizeof leaves);
  std::string name(text.data());
  const size_t first = name.find_first_not_of(' '), last = name.find_last_not_of(' ');
  return first == name.npos ? std::string() : name.substr(first, last - first + 1);
}

CpuFeatures detect() {
  CpuFeatures f;
  f.brand = brand_name();
  const Leaf one = cpuid(1), seven = cpuid(7), seven_one = cpuid(7, 1);
  if (!bit(one.ecx, 27)) return f;  // OSXSAVE: no XGETBV without it
  const uint64_t saved = saved_registers();
  f.bmi2 = bit(seven.ebx, 8);
  if ((saved & 0x6) != 0x6 || !bit(one.ecx, 28)) return f;  // xmm, ymm; AVX
  f.fma = bit(one.ecx, 12);
  f.f16c = bit(one.ecx, 29);
  f.avx2 = bit(seven.ebx, 5);
  f.avx_vnni = bit(seven_one.eax, 4);
  if ((saved & 0xe6) != 0xe6 || !bit(seven.ebx, 16)) return f;  // mask registers, zmm; AVX512F
  f.avx512f = true;
  f.avx512dq = bit(seven.ebx, 17);
  f.avx512bw = bit(seven.ebx, 30);
  f.avx512vl = bit(seven.ebx, 31);
  f.avx512_vbmi = bit(seven.ecx, 1);
  f.gfni = bit(seven.ecx, 8);
  f.avx512_vnni = bit(seven.ecx, 11);
  f.avx512_bf16 = bit(seven_one.eax, 5);
  return f;
}
#else
CpuFeatures detect() { return {}; }
#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace nibble
