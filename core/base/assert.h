// An assertion is for nibble's own bugs and unreachable from any file's content. Kept in release
// builds.
#pragma once

#include <cstdio>
#include <cstdlib>

#define NIBBLE_ASSERT(condition)                                                                   \
  do {                                                                                             \
    if (!(condition)) [[unlikely]] {                                                               \
      std::fprintf(stderr, "nibble: internal fault: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::_Exit(70);                                                                              \
    }                                                                                              \
  } while (false)
