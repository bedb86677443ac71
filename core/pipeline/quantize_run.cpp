// See quantize.h: the work itself.
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/free_space.h"
#include "core/base/output_file.h"
#include "core/base/printable.h"
#include "core/pipeline/quantize.h"
#include "core/pipeline/recipe_input.h"
#include "core/pipeline/written_error.h"
#include "core/version.h"
#include "formats/checksum.h"
#include "formats/gguf_leftovers.h"

namespace nibble {
namespace {

// Importance of all tensors, kept for as long as jobs point at it.
Result<std::vector<std::vector<float>>> importances(const WeightFile& source,
                                                    const Imatrix* imatrix) {
  std::vector<std::vector<float>> all(source.tensors().size());
  for (size_t i = 0; imatrix && i < all.size(); ++i) {
    const TensorView& t = source.tensors()[i];
    NIBBLE_TRY(all[i], imatrix->importance(t.name, n_matrices(t.shape), t.shape.n_cols()));
  }
  return all;
}

// Bytes that a run before has taken for a file.
uint64_t set_aside(const std::filesystem::path& target) {
  struct stat taken {};
  const bool there = ::stat(partial_path(target, "part").c_str(), &taken) == 0;
  return there ? static_cast<uint64_t>(taken.st_blocks) * 512 : 0;
}

constexpr size_t kLookedAt = 4096;  // bytes of each tensor: two models may share size and time

// What a target's bytes depend on, so that only they are taken up.
std::string subject(const WeightFile& source, const QuantizePlan& plan,
                    const std::vector<std::vector<float>>& importance) {
  Xxh3Stream sum;
  for (const gguf::Shard& shard : plan.shards) sum.update(std::as_bytes(std::span(shard.header)));
  for (const auto& values : importance) sum.update(std::as_bytes(std::span(values)));
  std::string files;
  std::error_code ignored;
  for (const auto& file : source.files())
    files += fmt::format(
        "{} {} {}\n", file.filename().native(), std::filesystem::file_size(file, ignored),
        std::filesystem::last_write_time(file, ignored).time_since_epoch().count());
  sum.update(std::as_bytes(std::span(files)));
  for (const TensorView& t : source.tensors())
    sum.update(t.bytes.first(std::min(t.bytes.size(), kLookedAt)));
  return fmt::format("nibble {} {} {}", build_info().version, build_info().commit, sum.digest());
}

// Errors of the tensors that an earlier run made, before those of this one.
Result<void> add_earlier(std::span<const RecodeJob> jobs, std::span<const QuantizePlan> plans,
                         ThreadPool& pool, const QuantizeRun& run, RecodeResult& result) {
  result.n_taken_up = jobs.size();
  for (size_t w = 0; w < plans.size(); ++w) {
    std::vector<RecodeError> errors(jobs.size());
    if (run.measure_errors) {
      NIBBLE_TRY(errors, measure_written(jobs, plans[w].shards[0].path, pool));
    }
    result.errors[w].insert(result.errors[w].begin(), errors.begin(), errors.end());
  }
  return {};
}

}  // namespace

Result<void> check_targets(std::span<const QuantizePlan> plans, bool overwrite, bool resume) {
  std::vector<SpaceWanted> wanted;
  std::error_code ignored;
  for (const QuantizePlan& plan : plans)
    for (size_t i = 0; i < plan.shards.size(); ++i) {
      const gguf::Shard& shard = plan.shards[i];
      if (resume && gguf::was_named(plan.shards, i)) continue;
      if (std::filesystem::is_regular_file(shard.path, ignored) && !overwrite) {
        gguf::drop_stale_journal(plan.shards);
        return fail(ErrorKind::kUsage, "{}: exists already; --force replaces it",
                    printable(shard.path.native(), 200));
      }
      NIBBLE_CHECK(OutputFile::check_partial(shard.path, overwrite));
      wanted.push_back(
          {shard.path, shard.n_bytes - std::min(set_aside(shard.path), shard.n_bytes)});
    }
  return check_free_space(wanted);
}

Result<RecodeResult> quantize(WeightFile& source, std::span<QuantizePlan> plans,
                              const Imatrix* imatrix, ThreadPool& pool, const QuantizeRun& run) {
  source.read_ahead();
  NIBBLE_TRY(const auto importance, importances(source, imatrix));
  std::vector<RecodeJob> jobs;
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    jobs.push_back({source.tensors()[i], {}, importance[i]});
    for (const QuantizePlan& plan : plans) jobs.back().targets.push_back(plan.tensors[i].format);
  }
  std::vector<gguf::Writer> writers;
  for (QuantizePlan& plan : plans) {
    const gguf::Resume resume{run.resume, run.resume, subject(source, plan, importance)};
    NIBBLE_TRY(auto writer, gguf::Writer::create(plan.shards, plan.tensors, run.overwrite, resume));
    writers.push_back(std::move(writer));
  }
  size_t n_done = jobs.size();
  for (const gguf::Writer& writer : writers) n_done = std::min(n_done, writer.n_complete());
  for (gguf::Writer& writer : writers) NIBBLE_CHECK(writer.start_at(n_done));
  NIBBLE_TRY(RecodeResult result, recode(std::span(jobs).subspan(n_done), writers, pool,
                                         {.batch_weights = run.batch_weights,
                                          .measure_errors = run.measure_errors,
                                          .clamp = run.clamp,
                                          .go_on = run.go_on}));
  NIBBLE_CHECK(gguf::commit_all(writers));
  if (n_done > 0)
    NIBBLE_CHECK(add_earlier(std::span(jobs).first(n_done), plans, pool, run, result));
  return result;
}

}  // namespace nibble
