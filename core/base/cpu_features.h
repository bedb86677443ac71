// What this processor can do and the operating system lets it do. On other machines than x86-64 all
// is false.
#pragma once

#include <string>

namespace nibble {

struct CpuFeatures {
  bool avx2 = false, fma = false, f16c = false, bmi2 = false, avx_vnni = false;
  bool avx512f = false, avx512bw = false, avx512dq = false, avx512vl = false;
  bool avx512_vnni = false, avx512_vbmi = false, avx512_bf16 = false, gfni = false;
  std::string brand;  // "AMD EPYC 9B14", empty when it is not told
};

const CpuFeatures& cpu_features();  // asked once

}  // namespace nibble
