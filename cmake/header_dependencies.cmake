# The packages of the kernels and the layers below as headers, which are the same for every processor.
find_package(Threads REQUIRED)
find_package(Eigen3 REQUIRED)  # has no library
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
add_library(doctest::doctest INTERFACE IMPORTED GLOBAL)
list(APPEND CMAKE_MODULE_PATH /usr/lib/cmake/doctest)  # doctest-dev: doctest_discover_tests
