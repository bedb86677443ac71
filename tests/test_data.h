// Where tests find data: small files that the project carries, and the large kits that it does not.
#pragma once

#include <filesystem>
#include <string>

namespace nibble::tests {

std::filesystem::path source_dir();  // the project
std::filesystem::path
data_dir();  // the kits: $NIBBLE_TEST_DATA, by default ../shared/data beside the project
bool missing_data(
    const std::string& name);  // true, and reported by name, when data_dir() / name is not there
void report_skipped(const std::string& reason);  // what this system lacks, told at the end

}  // namespace nibble::tests

// Leaves the case, reported as skipped, when the kit is not there.
#define NIBBLE_NEED_DATA(name) \
  if (nibble::tests::missing_data(name)) return
