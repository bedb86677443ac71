#include "core/base/clock.h"

#include <chrono>

namespace nibble {

double now_s() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace nibble
