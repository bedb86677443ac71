# Every package nibble builds with; DESIGN.md gives the reason for each.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)            # libfmt-dev
find_package(nlohmann_json REQUIRED)  # nlohmann-json3-dev
find_package(Eigen3 REQUIRED)         # libeigen3-dev
find_package(CLI11 REQUIRED)          # libcli11-dev
find_package(OpenSSL REQUIRED COMPONENTS Crypto)  # libssl-dev
find_package(doctest QUIET)           # doctest-dev, for the tests

# nibble_system_library(NAME HEADER LIBRARY): an imported target for a package without a CMake file.
function(nibble_system_library name header library)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  find_library(${name}_LIBRARY ${library} REQUIRED)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} SYSTEM INTERFACE ${${name}_INCLUDE})
  target_link_libraries(${name} INTERFACE ${${name}_LIBRARY})
endfunction()
nibble_system_library(xxhash xxhash.h xxhash)        # libxxhash-dev
nibble_system_library(pcre2 pcre2.h pcre2-8)         # libpcre2-dev
nibble_system_library(utf8proc utf8proc.h utf8proc)  # libutf8proc-dev
nibble_system_library(simdjson simdjson.h simdjson)  # libsimdjson-dev
