#include "core/pipeline/hash_files.h"

#include <algorithm>
#include <memory>

#include "core/base/mapped_file.h"
#include "formats/path_message.h"
#include "formats/sha256.h"

namespace nibble {
namespace {

constexpr size_t kPiece = 32u << 20;  // bytes of a file between two questions

struct Job {
  MappedFile file;
  std::unique_ptr<Sha256> sum = std::make_unique<Sha256>();
  size_t done = 0;

  void step() {
    const auto rest = file.bytes().subspan(done);
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    sum->update(piece);
    done += piece.size();
  }
  bool ended() const { return done == file.bytes().size(); }
};

}  // namespace

Result<std::vector<std::string>> hash_files(std::span<const std::filesystem::path> paths,
                                            ThreadPool& pool,
                                            FunctionRef<bool(uint64_t, uint64_t)> go_on) {
  std::vector<Job> jobs;
  uint64_t total = 0;
  for (const auto& path : paths) {
    NIBBLE_TRY(MappedFile file, with_path(path, MappedFile::open(path)));
    file.read_ahead();
    total += file.bytes().size();
    jobs.push_back({std::move(file)});
  }
  // One piece each of as many files as there are threads, until all have ended.
  for (uint64_t done = 0;;) {
    std::vector<Job*> next;
    for (Job& job : jobs)
      if (!job.ended() && next.size() < static_cast<size_t>(pool.size())) next.push_back(&job);
    if (next.empty()) break;
    if (!go_on(done, total)) return fail(ErrorKind::kInterrupted, "interrupted");
    pool.run(static_cast<int>(next.size()),
             [&](int i, int) { next[static_cast<size_t>(i)]->step(); });
    done = 0;
    for (const Job& job : jobs) done += job.done;
  }
  std::vector<std::string> out;
  for (Job& job : jobs) out.push_back(job.sum->digest());
  return out;
}

}  // namespace nibble
