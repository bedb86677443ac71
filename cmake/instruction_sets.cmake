# The instruction sets that kernels are compiled for, best last: name and compiler flags. One with a BASE has that one's
# flags, shim and compiled parts, but for what multiplies.
set(NIBBLE_ISAS all CACHE STRING "Instruction sets to compile for: all, native (the best one here), or a list; scalar is always in")
set(NIBBLE_FLAGS_scalar "")

set(NIBBLE_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(NIBBLE_BASE_avxvnni avx2)
set(NIBBLE_FLAGS_avxvnni ${NIBBLE_FLAGS_avx2} -mavxvnni)
set(NIBBLE_BASE_avx512vnni avx2)
set(NIBBLE_FLAGS_avx512vnni ${NIBBLE_FLAGS_avx2} -mavx512f -mavx512vl -mavx512vnni)
set(NIBBLE_FLAGS_avx512 ${NIBBLE_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi -mgfni
    -mprefer-vector-width=512
    -Wno-maybe-uninitialized -Wno-uninitialized)  # false alarms inside g++ 12's own intrinsics, GCC bug 105593

# Before registers are given out, g++ 12 moves so many loads up that sums go to the stack: 350 instructions instead of
# 284 around the 128 SDOT of a block of Q4_0.
set(NIBBLE_FLAGS_neon -march=armv8.2-a+dotprod -fno-schedule-insns)
set(NIBBLE_PARTS_neon asimddp)  # as /proc/cpuinfo calls them
set(NIBBLE_BASE_i8mm neon)
set(NIBBLE_FLAGS_i8mm -march=armv8.2-a+dotprod+i8mm -fno-schedule-insns)
set(NIBBLE_PARTS_i8mm asimddp i8mm)

set(NIBBLE_KNOWN_ISAS scalar)
if(NIBBLE_FUZZ)  # readers of bytes need no fast kernels
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND NIBBLE_KNOWN_ISAS avx2 avxvnni avx512vnni avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND NIBBLE_KNOWN_ISAS neon i8mm)
endif()

# nibble_best_isa(OUT FEATURES): the best of the known ones whose parts, or flags -mNAME, are in a "flags" or "Features"
# line of /proc/cpuinfo.
function(nibble_best_isa out features)
  string(REPLACE "_" "" features " ${features} ")
  foreach(isa IN LISTS NIBBLE_KNOWN_ISAS)
    set(runs TRUE)
    foreach(flag IN LISTS NIBBLE_FLAGS_${isa})
      string(REGEX REPLACE "^-m([a-z0-9]+)$" " \\1 " feature "${flag}")
      if(NOT feature STREQUAL flag AND NOT features MATCHES "${feature}")
        set(runs FALSE)
      endif()
    endforeach()
    foreach(part IN LISTS NIBBLE_PARTS_${isa})
      if(NOT features MATCHES " ${part} ")
        set(runs FALSE)
      endif()
    endforeach()
    if(runs)
      set(${out} ${isa} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

set(wanted ${NIBBLE_ISAS})
if(wanted STREQUAL "native" AND EXISTS /proc/cpuinfo AND NOT CMAKE_CROSSCOMPILING)
  file(STRINGS /proc/cpuinfo features REGEX "^(flags|Features)" LIMIT_COUNT 1)
  nibble_best_isa(wanted "${features}")
elseif(wanted STREQUAL "all" OR wanted STREQUAL "native")
  set(wanted ${NIBBLE_KNOWN_ISAS})
endif()
foreach(isa IN LISTS wanted)
  if(NOT isa IN_LIST NIBBLE_KNOWN_ISAS)
    message(FATAL_ERROR "NIBBLE_ISAS: '${isa}' is none of all, native, ${NIBBLE_KNOWN_ISAS}")
  endif()
  list(APPEND wanted ${NIBBLE_BASE_${isa}})
endforeach()
set(NIBBLE_COMPILED_ISAS "")
foreach(isa IN LISTS NIBBLE_KNOWN_ISAS)
  if(isa STREQUAL "scalar" OR isa IN_LIST wanted)
    list(APPEND NIBBLE_COMPILED_ISAS ${isa})
  endif()
endforeach()
