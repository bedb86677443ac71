#include "core/base/output_folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/child_process.h"
#include "tests/temporary_folder.h"

using namespace nibble;

TEST_CASE("a folder is as open to others as the umask says") {
  const tests::TemporaryFolder folder;
  const auto mode = [&](mode_t mask) {
    const auto target = folder.path() / std::to_string(mask);
    tests::in_child([&] {
      ::umask(mask);
      auto out = OutputFolder::create(target, false, "marker");
      ::_exit(out && out->commit() && ::umask(mask) == mask ? 0 : 1);
    });
    struct stat made {};
    REQUIRE(::stat(target.c_str(), &made) == 0);
    return made.st_mode & 0777;
  };
  CHECK(mode(022) == 0755);
  CHECK(mode(077) == 0700);
  CHECK(mode(002) == 0775);
}
