// Which nibble this is: version, commit and compiler, fixed when it was built.
#pragma once

#include <string_view>

namespace nibble {

struct BuildInfo {
  std::string_view version;  // "0.1.0"
  std::string_view
      commit;  // short hash, "+" behind it where the tree was changed; "unknown" outside of git
  std::string_view compiler;  // "g++ 12.2.0"
};

BuildInfo build_info();

}  // namespace nibble
