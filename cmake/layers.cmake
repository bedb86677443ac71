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

include(cmake/instruction_sets.cmake)

# NIBBLE_BATCH files of a layer that says BATCHED are compiled as one: what they include, most of a compiler's work, is
# read once. Private names must differ inside such a layer. With sanitizers each file is compiled alone, so that a
# missing include shows and tools that read compile_commands.json find each file.
set(batch 6)
if(NIBBLE_SANITIZE)
  set(batch 1)
endif()
set(NIBBLE_BATCH ${batch} CACHE STRING "Source files compiled together in layers that allow it; 1: each alone")
function(nibble_batch target)
  if(NIBBLE_BATCH GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${NIBBLE_BATCH})
  endif()
endfunction()

# nibble_layer(NAME FOLDER... [BATCHED] ISA PART... LIBS ...): nibble_NAME, the objects of FOLDER/*.cpp and of the PARTs
# that nibble_isa_layer made (by default the one called NAME). OBJECT libraries keep what registers itself; LIBS carry
# the objects of the layers below.
function(nibble_layer name)
  cmake_parse_arguments(arg "BATCHED" "" "LIBS;ISA" ${ARGN})
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
    if(arg_BATCHED)
      nibble_batch(nibble_${name}_objects)
    endif()
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

# nibble_program(NAME FOLDER [BATCHED] LIBS ...): an executable of FOLDER/*.cpp.
function(nibble_program name folder)
  cmake_parse_arguments(arg "BATCHED" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  add_executable(${name} ${sources})
  if(arg_BATCHED)
    nibble_batch(${name})
  endif()
  target_link_libraries(${name} PRIVATE nibble_options ${arg_LIBS})
endfunction()
