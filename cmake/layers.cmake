# How a folder becomes part of the program. A new source file needs no line here.

# Options that every file of nibble is compiled with.
add_library(nibble_options INTERFACE)
target_include_directories(nibble_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(nibble_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror -fno-math-errno
                       -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(nibble_options INTERFACE -Wno-restrict)  # false alarms on std::string: GCC bug 105651
endif()
if(NIBBLE_SANITIZE)
  target_compile_options(nibble_options INTERFACE -fsanitize=${NIBBLE_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(nibble_options INTERFACE -fsanitize=${NIBBLE_SANITIZE})
endif()
if(NIBBLE_FUZZ)  # the warnings that count are g++'s
  target_compile_options(nibble_options INTERFACE -fsanitize=fuzzer-no-link -Wno-error)
endif()

# The instruction sets that kernels are compiled for, best last: name and compiler flags. One with a BASE has that one's
# flags, shim and compiled parts, but for what multiplies.
set(NIBBLE_ISAS all CACHE STRING "Instruction sets to compile for: all, native (the best one here), or a list; scalar is always in")
set(NIBBLE_KNOWN_ISAS scalar)
set(NIBBLE_FLAGS_scalar "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT NIBBLE_FUZZ)  # readers of bytes need no fast kernels
  list(APPEND NIBBLE_KNOWN_ISAS avx2 avxvnni avx512vnni avx512)
  set(NIBBLE_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
  set(NIBBLE_BASE_avxvnni avx2)
  set(NIBBLE_FLAGS_avxvnni ${NIBBLE_FLAGS_avx2} -mavxvnni)
  set(NIBBLE_BASE_avx512vnni avx2)
  set(NIBBLE_FLAGS_avx512vnni ${NIBBLE_FLAGS_avx2} -mavx512f -mavx512vl -mavx512vnni)
  set(NIBBLE_FLAGS_avx512 ${NIBBLE_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi
      -mprefer-vector-width=512
      -Wno-maybe-uninitialized -Wno-uninitialized)  # false alarms inside g++ 12's own intrinsics, GCC bug 105593
endif()

# nibble_native_isa(OUT): the best of the known ones whose flags -mNAME the first processor of /proc/cpuinfo has.
function(nibble_native_isa out)
  file(STRINGS /proc/cpuinfo features REGEX "^flags" LIMIT_COUNT 1)
  string(REPLACE "_" "" features "${features} ")
  foreach(isa IN LISTS NIBBLE_KNOWN_ISAS)
    set(runs TRUE)
    foreach(flag IN LISTS NIBBLE_FLAGS_${isa})
      if(flag MATCHES "^-m([a-z0-9]+)$" AND NOT features MATCHES " ${CMAKE_MATCH_1} ")
        set(runs FALSE)
      endif()
    endforeach()
    if(runs)
      set(${out} ${isa} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

set(wanted ${NIBBLE_ISAS})
if(wanted STREQUAL "native" AND EXISTS /proc/cpuinfo AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  nibble_native_isa(wanted)
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

# nibble_layer(NAME FOLDER... ISA PART... LIBS ...): nibble_NAME, the objects of FOLDER/*.cpp and of the PARTs that
# nibble_isa_layer made (by default the one called NAME). OBJECT libraries keep what registers itself; LIBS carry the
# objects of the layers below.
function(nibble_layer name)
  cmake_parse_arguments(arg "" "" "LIBS;ISA" ${ARGN})
  set(sources "")
  foreach(folder IN LISTS arg_UNPARSED_ARGUMENTS)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  add_library(nibble_${name} INTERFACE)
  target_link_libraries(nibble_${name} INTERFACE nibble_options ${arg_LIBS})
  if(sources)
    add_library(nibble_${name}_objects OBJECT ${sources})
    target_link_libraries(nibble_${name}_objects PUBLIC nibble_options ${arg_LIBS})
    target_link_libraries(nibble_${name} INTERFACE nibble_${name}_objects $<TARGET_OBJECTS:nibble_${name}_objects>)
  endif()
  foreach(isa IN LISTS NIBBLE_COMPILED_ISAS)
    foreach(part IN ITEMS ${name} ${arg_ISA})
      if(TARGET nibble_${part}_${isa})
        target_link_libraries(nibble_${name} INTERFACE $<TARGET_OBJECTS:nibble_${part}_${isa}>)
      endif()
    endforeach()
  endforeach()
endfunction()

# nibble_isa_layer(NAME FOLDER [SHARED] [OPTION...]): the objects of FOLDER/*.cpp once for each instruction set, each in
# its own namespace (NIBBLE_ISA), and generated/NAME_kernels.inc with a line X(isa, from, file) for each of them. SHARED:
# an instruction set with a base takes the base's objects (from). Call before nibble_layer(NAME ..). Compiled at -O3
# unless options follow.
function(nibble_isa_layer name folder)
  cmake_parse_arguments(arg "SHARED" "" "" ${ARGN})
  set(optimize -O3)
  if(arg_UNPARSED_ARGUMENTS)
    set(optimize ${arg_UNPARSED_ARGUMENTS})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  set(rows "")
  foreach(isa IN LISTS NIBBLE_COMPILED_ISAS)
    set(from ${isa})
    if(arg_SHARED AND DEFINED NIBBLE_BASE_${isa})
      set(from ${NIBBLE_BASE_${isa}})
    elseif(sources)
      add_library(nibble_${name}_${isa} OBJECT ${sources})
      target_link_libraries(nibble_${name}_${isa} PRIVATE nibble_options)
      target_compile_definitions(nibble_${name}_${isa} PRIVATE NIBBLE_ISA=${isa})
      foreach(shim IN ITEMS ${isa} ${NIBBLE_BASE_${isa}})
        target_compile_definitions(nibble_${name}_${isa} PRIVATE NIBBLE_ISA_${shim}=1)
      endforeach()
      target_compile_options(nibble_${name}_${isa} PRIVATE $<$<CONFIG:Release>:${optimize}> ${NIBBLE_FLAGS_${isa}})
    endif()
    foreach(source IN LISTS sources)
      get_filename_component(file ${source} NAME_WE)
      string(APPEND rows "X(${isa}, ${from}, ${file})\n")
    endforeach()
  endforeach()
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/generated/${name}_kernels.inc CONTENT "${rows}")
endfunction()

# nibble_program(NAME FOLDER LIBS ...): an executable of FOLDER/*.cpp.
function(nibble_program name folder)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE nibble_options ${arg_LIBS})
endfunction()
