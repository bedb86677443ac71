// Runs one layer's cases. A case that needs a kit which is not there says so through
// NIBBLE_NEED_DATA, one that needs what this system lacks through report_skipped(); a run in which
// nothing failed and something was skipped ends with 77, which CTest counts as skipped.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/test_data.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <set>

namespace nibble::tests {
namespace {
std::set<std::string>& skipped() {
  static std::set<std::string> reasons;
  return reasons;
}
}  // namespace

std::filesystem::path source_dir() { return NIBBLE_SOURCE_DIR; }

std::filesystem::path data_dir() {
  const char* given = std::getenv("NIBBLE_TEST_DATA");
  return given ? std::filesystem::path(given) : source_dir() / "../shared/data";
}

bool missing_data(const std::string& name) {
  if (std::filesystem::exists(data_dir() / name)) return false;
  report_skipped(name + " is not in NIBBLE_TEST_DATA");
  return true;
}

void report_skipped(const std::string& reason) { skipped().insert(reason); }
}  // namespace nibble::tests

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int failed = context.run();
  if (failed || context.shouldExit()) return failed;
  for (const auto& reason : nibble::tests::skipped()) std::printf("skipped: %s\n", reason.c_str());
  return nibble::tests::skipped().empty() ? 0 : 77;
}
