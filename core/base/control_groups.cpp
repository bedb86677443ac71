#include "core/base/control_groups.h"

#include <fmt/core.h>

#include <fstream>

namespace nibble {

void visit_control_groups(const std::string& root, std::string_view controller,
                          FunctionRef<void(const std::string& folder)> visit) {
  std::ifstream groups(root + "/proc/self/cgroup");  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v1 = ("," + controllers + ",").contains(fmt::format(",{},", controller));
    if (!v1 && !controllers.empty()) continue;
    const std::string top = root + "/sys/fs/cgroup" + (v1 ? fmt::format("/{}", controller) : "");
    for (std::string group = line.substr(second + 1);; group.erase(group.rfind('/'))) {
      visit(top + (group == "/" ? "" : group));
      if (!group.contains('/')) break;
    }
  }
}

}  // namespace nibble
