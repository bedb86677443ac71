#include "core/base/output_folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/unfinished.h"
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

TEST_CASE("a folder is discarded at a sudden end, with all that is in it") {
  const tests::TemporaryFolder folder;
  tests::in_child([&] {
    auto out = OutputFolder::create(folder.path() / "out", false, "marker");
    for (int i = 0; out && i < 200; ++i)
      if (!out->write(fmt::format("a file with a long name {}", i).c_str(), "x")) ::_exit(1);
    std::filesystem::create_directories(out->path() / "a/b/c");
    std::filesystem::create_symlink(folder.path(), out->path() / "a/link");
    discard_unfinished_outputs();
    ::_exit(0);
  });
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a folder that is replaced goes whole, one that is none of its kind stays") {
  const tests::TemporaryFolder folder;
  const auto target = folder.path() / "out";
  std::filesystem::create_directories(target / "nested");
  folder.write("out/nested/file", "old");
  CHECK_FALSE(OutputFolder::create(target, true, "marker"));
  folder.write("out/marker", "old");
  CHECK_FALSE(OutputFolder::create(target, false, "marker"));
  auto out = OutputFolder::create(target, true, "marker");
  REQUIRE(out);
  REQUIRE(out->write("marker", "new"));
  CHECK(folder.read("out/marker") == "old");
  REQUIRE(out->commit());
  CHECK(folder.read("out/marker") == "new");
  CHECK_FALSE(std::filesystem::exists(target / "nested"));
  const std::filesystem::directory_iterator all(folder.path());
  CHECK(std::distance(all, {}) == 1);
}
