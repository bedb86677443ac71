// The clock that durations are measured with.
#pragma once

namespace nibble {

double now_s();  // steady seconds

}  // namespace nibble
