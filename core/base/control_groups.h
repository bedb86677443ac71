// The Linux control groups that this process is in.
#pragma once

#include <string>
#include <string_view>

#include "core/base/function_ref.h"

namespace nibble {

// visit(folder) for each group that may limit what controller ("cpu", "memory") is for, from the
// process's own up to the root, version 1 and 2: all of them count. Below root/proc and root/sys.
void visit_control_groups(const std::string& root, std::string_view controller,
                          FunctionRef<void(const std::string& folder)> visit);

}  // namespace nibble
