// Times as text: the C locale's strftime, in UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nibble::jinja {

// seconds: since 1970. Directives of C and glibc, "%-d" and its kin included; an unknown one stays
// as it is.
std::string format_time(std::string_view format, int64_t seconds);

}  // namespace nibble::jinja
