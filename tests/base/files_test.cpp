// MappedFile and OutputFile.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/output_file.h"
#include "tests/child_process.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using tests::in_child;
using tests::TemporaryFolder;

namespace {
std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

void report_and_exit(const char* path, uint64_t offset) {
  const bool page_two = offset >= 4096 && offset < 8192;
  [[maybe_unused]] ssize_t n = ::write(2, path, std::strlen(path));
  n = ::write(2, page_two ? " page two" : " elsewhere", page_two ? 9 : 10);
  discard_unfinished_outputs();
  ::_exit(3);
}
}  // namespace

TEST_CASE("a mapped file shows its bytes, wherever it is moved") {
  TemporaryFolder folder;
  auto file = MappedFile::open(folder.write("a", "hello"));
  REQUIRE(file);
  file->preload();
  MappedFile moved = std::move(*file);
  moved.preload();
  moved.read_ahead();
  CHECK(moved.text() == "hello");
  CHECK(moved.path() == folder.path() / "a");
  const auto empty = MappedFile::open(folder.write("empty", ""));
  REQUIRE(empty);
  CHECK(empty->bytes().empty());
}

TEST_CASE(
    "a file read into memory shows the same bytes in the same place, whatever becomes of it") {
  TemporaryFolder folder;
  std::string text(size_t{21} << 20, 'x');  // several pieces, and no whole number of huge pages
  for (size_t i = 0; i < text.size(); i += 4093) text[i] = static_cast<char>(i);
  const auto path = folder.write("a", text);
  auto file = MappedFile::open(path);
  REQUIRE(file);
  const std::byte* before = file->bytes().data();
  CHECK(reinterpret_cast<uintptr_t>(before) % (2 << 20) == 0);  // huge pages can be mapped
  file->preload();
  REQUIRE(file->copy().has_value());
  CHECK(file->copy().has_value());  // once is enough
  folder.write("a", "y");
  CHECK(file->bytes().data() == before);
  CHECK(file->text() == text);
  CHECK(file->resident_bytes() == text.size());
  auto changed = MappedFile::open(folder.write("b", "12345"));
  REQUIRE(changed);
  folder.write("b", "1234");
  const auto copied = changed->copy();
  REQUIRE_FALSE(copied.has_value());
  CHECK(copied.error().message == "has changed since it was opened");
}

TEST_CASE("a file is locked as far as the limit allows, and the limit is named") {
#ifdef __SANITIZE_ADDRESS__
  MESSAGE("skipped: under the address sanitizer mlock does nothing");
  return;
#endif
  TemporaryFolder folder;
  auto file = MappedFile::open(folder.write("a", std::string(200'000, 'x')));
  REQUIRE(file);
  const auto ended = in_child([&] {
    const rlimit none{8192, 8192};
    ::setrlimit(RLIMIT_MEMLOCK, &none);
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
    const auto locked = file->lock();
    [[maybe_unused]] const auto n =
        locked ? 0 : ::write(2, locked.error().message.data(), locked.error().message.size());
    ::_exit(locked ? 1 : 0);
  });
  CHECK(ended.exit_code == 0);
  CHECK(ended.standard_error.find("locking needs 196 KiB, the limit RLIMIT_MEMLOCK is 8 KiB") == 0);
}

TEST_CASE("locking what was read into memory takes no more of it") {
#ifdef __SANITIZE_ADDRESS__
  MESSAGE("skipped: under the address sanitizer mlock does nothing");
  return;
#endif
  TemporaryFolder folder;
  const auto full = folder.write("meminfo", "MemAvailable: 1 kB\n");
  const auto path = folder.write("a", std::string(20'000, 'x'));
  const auto ended = in_child([&] {
    auto file = MappedFile::open(path);
    const auto copied = file->copy();
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(full.c_str(), "/proc/meminfo", nullptr, MS_BIND, nullptr) != 0)
      ::_exit(77);
    if (MappedFile::open(path)->lock()) ::_exit(1);  // that would read it
    ::_exit(copied && file->lock() ? 0 : 2);
  });
  if (ended.exit_code == 77)
    MESSAGE("skipped: /proc/meminfo cannot be covered here");
  else
    CHECK(ended.exit_code == 0);
}

TEST_CASE("what cannot be mapped is told apart") {
  TemporaryFolder folder;
  const auto kind = [](const auto& result) {
    REQUIRE(!result);
    return result.error().kind;
  };
  CHECK(kind(MappedFile::open(folder.path() / "none")) == ErrorKind::kNotFound);
  CHECK(kind(MappedFile::open(folder.write("a", "x") / "b")) == ErrorKind::kNotFound);
  CHECK(MappedFile::open(folder.path()).error().message == "is a folder, not a file");
  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(MappedFile::open(folder.path() / "pipe").error().message == "is not a regular file");
}

TEST_CASE("a file that shrinks while it is mapped ends in the report, and no output stays behind") {
  TemporaryFolder folder;
  const auto path = folder.write("model", std::string(8192, 'x'));
  const auto end = in_child([&] {
    report_shrunk_files(report_and_exit);
    const auto file = MappedFile::open(path);
    const auto output = OutputFile::create(folder.path() / "out", false);
    std::filesystem::resize_file(path, 4096);
    volatile const std::byte* second_page = file->bytes().data() + 4096;
    if (second_page[17] == std::byte{'x'}) ::_exit(1);
  });
  CHECK(end.exit_code == 3);
  CHECK(end.standard_error == path.string() + " page two");
  CHECK(folder.n_files() == 1);
}

TEST_CASE("a bus error outside of mapped files still ends the program") {
  const auto end = in_child([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    report_shrunk_files(report_and_exit);
    std::raise(SIGBUS);
    std::raise(SIGBUS);
  });
  CHECK(end.signal == SIGBUS);
}

TEST_CASE("output is absent until it is committed, then whole") {
  TemporaryFolder folder;
  const auto target = folder.path() / "out";
  {
    auto abandoned = OutputFile::create(target, false);
    REQUIRE(abandoned);
    REQUIRE(abandoned->write(bytes_of("half")));
    CHECK(!std::filesystem::exists(target));
  }
  CHECK(folder.n_files() == 0);
  auto output = OutputFile::create(target, false);
  REQUIRE(output);
  REQUIRE(output->reserve(1 << 20));
  REQUIRE(output->write(bytes_of("....world")));
  REQUIRE(output->write_at(0, bytes_of("hell")));
  REQUIRE(output->write(bytes_of("!")));
  const std::string large(3 << 20, 'y');
  REQUIRE(output->write(bytes_of(large)));
  CHECK(output->n_bytes() == 10 + large.size());
  REQUIRE(output->commit());
  CHECK(folder.read("out") == "hellworld!" + large);
  CHECK(folder.n_files() == 1);
}

TEST_CASE("outputs are discarded at a sudden end, however many there are") {
  const TemporaryFolder folder;
  in_child([&] {
    std::vector<OutputFile> files;
    for (int i = 0; i < 300; ++i) {
      auto file = OutputFile::create(folder.path() / std::to_string(i), false);
      if (file) files.push_back(std::move(*file));
    }
    files.erase(files.begin() + 10, files.begin() + 250);
    for (int i = 300; i < 400; ++i) {
      auto file = OutputFile::create(folder.path() / std::to_string(i), false);
      if (file) files.push_back(std::move(*file));
    }
    discard_unfinished_outputs();
    ::_exit(0);
  });
  CHECK(folder.n_files() == 0);
}

TEST_CASE("what a killed process of the same number left is not in the way") {
  const TemporaryFolder folder;
  const auto left = [&](int i) { return fmt::format("out.{}-{}.part", ::getpid(), i); };
  for (int i = 0; i < 1000; ++i) folder.write(left(i), "theirs");
  auto output = OutputFile::create(folder.path() / "out", false);
  REQUIRE_MESSAGE(output, output.error().message);
  REQUIRE(output->write(bytes_of("ours")));
  REQUIRE(output->commit());
  CHECK(folder.read("out") == "ours");
  CHECK(folder.read(left(999)) == "theirs");
  CHECK(folder.n_files() == 1001);
}

TEST_CASE("a name that was not settled is given back") {
  const TemporaryFolder folder;
  const auto target = folder.path() / "out";
  const auto name = [&](bool settle) {
    auto output = OutputFile::create(target, false);
    REQUIRE(output);
    REQUIRE(output->give_name());
    CHECK(folder.n_files() == 1);
    if (settle) output->settle();
  };
  name(false);
  CHECK(folder.n_files() == 0);
  in_child([&] {
    auto output = OutputFile::create(target, false);
    if (output && output->give_name()) discard_unfinished_outputs();
    ::_exit(0);
  });
  CHECK(folder.n_files() == 0);
  name(true);
  CHECK(std::filesystem::exists(target));
}

TEST_CASE("an existing target is refused, or replaced when that is wanted") {
  TemporaryFolder folder;
  const auto target = folder.write("out", "old");
  std::filesystem::create_symlink(target, folder.path() / "link");
  CHECK(OutputFile::create(target, false).error().kind == ErrorKind::kUsage);
  auto output = OutputFile::create(folder.path() / "link", true);
  REQUIRE(output);
  REQUIRE(output->write(bytes_of("new")));
  CHECK(folder.read("out") == "old");
  REQUIRE(output->commit());
  CHECK(folder.read("out") == "new");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));
  auto late = OutputFile::create(folder.path() / "late", false);
  REQUIRE(late);
  folder.write("late", "somebody else's");
  CHECK(late->commit().error().kind == ErrorKind::kOutput);
  CHECK(folder.read("late") == "somebody else's");
}

TEST_CASE("a target that is a device is written directly") {
  auto output = OutputFile::create("/dev/null", false);
  REQUIRE(output);
  CHECK(output->reserve(100));
  CHECK(output->write(bytes_of("x")));
  CHECK(!output->write_at(0, bytes_of("y")));
  CHECK(output->commit());
  CHECK(std::filesystem::exists("/dev/null"));
}

TEST_CASE("output that cannot be written says why") {
  TemporaryFolder folder;
  const auto kind = [](const auto& result) {
    REQUIRE(!result);
    return result.error().kind;
  };
  CHECK(kind(OutputFile::create(folder.path(), true)) == ErrorKind::kOutput);
  CHECK(kind(OutputFile::create(folder.path() / "no" / "folder", true)) == ErrorKind::kOutput);
  auto output = OutputFile::create(folder.path() / "out", false);
  REQUIRE(output);
  const auto reserved = output->reserve(uint64_t{1} << 60);
  CHECK(kind(reserved) == ErrorKind::kOutput);
  CHECK(reserved.error().message.find("bytes missing") != std::string::npos);
}

TEST_CASE("whether an output can be written is known before there is any") {
  TemporaryFolder folder;
  const auto there = folder.write("there", "mine");
  CHECK(OutputFile::check(folder.path() / "new", false));
  CHECK(OutputFile::check(there, true));
  CHECK(OutputFile::check("/dev/null", false));
  CHECK(folder.n_files() == 1);
  CHECK(folder.read("there") == "mine");
  CHECK(OutputFile::check_partial("/dev/null", true).error().kind == ErrorKind::kOutput);
  CHECK(OutputFile::create_partial("/dev/null", true, false, false).error().kind ==
        ErrorKind::kOutput);
  CHECK(OutputFile::check(there, false).error().kind == ErrorKind::kUsage);
  CHECK(OutputFile::check(folder.path(), true).error().kind == ErrorKind::kOutput);
  CHECK(OutputFile::check(folder.path() / "no" / "folder", false).error().kind ==
        ErrorKind::kOutput);
}

TEST_CASE("an output has what was written, in pieces of whatever size") {
  TemporaryFolder folder;
  std::string text(size_t{9} << 20, 'x');  // huge pages, and a rest
  for (size_t i = 0; i < text.size(); i += 4093) text[i] = static_cast<char>(i);
  const size_t sizes[] = {1, size_t{5} << 20, 0, 4093, (size_t{2} << 20) - 1, 1, 12345};
  auto out = OutputFile::create(folder.path() / "a", false);
  REQUIRE(out);
  size_t at = 0;
  for (const size_t n : sizes) {
    REQUIRE(out->write(bytes_of(text).subspan(at, n)).has_value());
    at += n;
    CHECK(out->n_bytes() == at);
  }
  REQUIRE(out->write_at(3, bytes_of("four")).has_value());
  REQUIRE(out->write(bytes_of(text).subspan(at)).has_value());
  REQUIRE(out->commit().has_value());
  text.replace(3, 4, "four");
  const auto file = MappedFile::open(folder.path() / "a");
  REQUIRE(file);
  CHECK((file->text() == text));
}

TEST_CASE("a size limit in the middle of the output is an error, not the end of the program") {
  TemporaryFolder folder;
  const auto end = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 16, 1 << 16};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto output = OutputFile::create(folder.path() / "out", false);
    const std::string large(3 << 20, 'y');
    const auto written = output->write(bytes_of(large));
    ::_exit(!written && written.error().kind == ErrorKind::kOutput ? 6 : 1);
  });
  CHECK(end.exit_code == 6);
  CHECK(!std::filesystem::exists(folder.path() / "out"));
}
