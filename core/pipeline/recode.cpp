#include "core/pipeline/recode.h"

#include <algorithm>
#include <bit>

#include "core/base/printable.h"
#include "core/pipeline/encode_rows.h"
#include "core/pipeline/recode_cast.h"
#include "core/pipeline/recode_tasks.h"
#include "core/pipeline/stored_finite.h"
#include "core/pipeline/stored_rows.h"

namespace nibble {
namespace {

constexpr uint32_t kMagnitude = 0x7fffffff, kNotFinite = 0x7f800000;

uint32_t largest_magnitude(std::span<const float> x) {
  uint32_t most = 0;
  for (const float v : x) most = std::max(most, std::bit_cast<uint32_t>(v) & kMagnitude);
  return most;
}

// What a thread needs for a task.
struct Scratch {
  std::vector<float> x, decoded, clamped;
};

class Recoder {
 public:
  Recoder(std::span<const RecodeJob> jobs, std::span<gguf::Writer> writers,
          const RecodeOptions& options, int n_threads)
      : jobs_(jobs), writers_(writers), options_(options), scratch_(n_threads) {}

  Result<RecodeResult> run(ThreadPool& pool);

 private:
  struct Batch {
    size_t first = 0, last = 0;                   // tasks
    std::vector<std::vector<std::byte>> encoded;  // [writer]
    std::vector<std::vector<size_t>> at;          // [writer][task]: where its bytes begin
  };
  void place(Batch& batch, size_t first);
  void make(Batch& batch, size_t t, Scratch& scratch);
  RecodeError measure(const quant::Format& f, std::span<const std::byte> bytes, Scratch& scratch);
  Result<void> check(const Batch& batch) const;
  Result<void> check_values(const RecodeTask& task) const;
  Result<void> write(Batch& batch);
  void collect(const Batch& batch, RecodeResult& result) const;
  std::span<const std::byte> source_bytes(const RecodeTask& task) const;
  uint64_t n_source_bytes(const RecodeTask& task) const {
    return static_cast<uint64_t>(task.n_rows) * jobs_[task.job].source.row_bytes();
  }
  // The mapped bytes are written as they stand.
  bool is_copied(const RecodeTask& task, size_t w) const {
    const TensorView& t = jobs_[task.job].source;
    return jobs_[task.job].targets[w] == t.format && !t.decoder;
  }
  // All outputs have the source's format and take its bytes, as they stand or row by row. Blocks
  // tell only decoded whether they are finite, so they do not count.
  bool only_copies(const RecodeTask& task) const {
    const RecodeJob& job = jobs_[task.job];
    if (job.source.format->block_len != 1) return false;
    const auto* stored = dynamic_cast<const StoredRows*>(job.source.decoder);
    if (job.source.decoder && !(stored && stored->copies())) return false;
    return std::ranges::all_of(job.targets, [&](const auto* f) { return f == job.source.format; });
  }
  bool copy(Batch& batch, size_t t, Scratch& scratch);
  std::span<std::byte> place_of(Batch& batch, size_t t, size_t w) const;
  void put(RecodeTask& task, size_t w, Scratch& scratch, std::byte* out) const;
  const float* importance_of(const RecodeTask& task) const;

  std::span<const RecodeJob> jobs_;
  std::span<gguf::Writer> writers_;
  const RecodeOptions& options_;
  std::vector<Scratch> scratch_;
  std::vector<RecodeTask> tasks_;
};

std::span<const std::byte> Recoder::source_bytes(const RecodeTask& task) const {
  const TensorView& t = jobs_[task.job].source;
  return t.bytes.subspan(static_cast<size_t>(task.first_row) * t.row_bytes(),
                         static_cast<size_t>(task.n_rows) * t.row_bytes());
}

const float* Recoder::importance_of(const RecodeTask& task) const {
  const RecodeJob& job = jobs_[task.job];
  if (job.importance.empty()) return nullptr;
  const auto n_cols = static_cast<size_t>(job.source.shape.n_cols());
  return job.importance.data() +
         (job.importance.size() > n_cols ? static_cast<size_t>(task.matrix) * n_cols : 0);
}

// A task's rows in the format of one output.
void Recoder::put(RecodeTask& task, size_t w, Scratch& scratch, std::byte* out) const {
  const RecodeJob& job = jobs_[task.job];
  const quant::Format& f = *job.targets[w];
  const auto* stored = dynamic_cast<const StoredRows*>(job.source.decoder);
  if (stored && stored->copies() && &f == job.source.format)
    return stored->copy(task.first_row, task.n_rows, out);
  std::span<const float> x = scratch.x;
  if (const CastRange* range = &f == job.source.format ? nullptr : cast_range(f)) {
    task.casts[w] = count_losses(*range, x);
    if (task.casts[w].n_overflows > 0) x = clamped(*range, x, scratch.clamped);
  }
  encode_rows(f, x.data(), task.n_rows, job.source.shape.n_cols(), importance_of(task), out);
}

// The tasks of a batch from task `first` on, and where their bytes go.
void Recoder::place(Batch& batch, size_t first) {
  batch.first = batch.last = first;
  batch.at.assign(writers_.size(), {});
  std::vector<size_t> n_bytes(writers_.size());
  for (int64_t n = 0; batch.last < tasks_.size() && n < options_.batch_weights; ++batch.last) {
    const RecodeTask& task = tasks_[batch.last];
    const int64_t n_cols = jobs_[task.job].source.shape.n_cols();
    n += task.n_rows * n_cols;
    for (size_t w = 0; w < writers_.size(); ++w) {
      batch.at[w].push_back(n_bytes[w]);
      if (!is_copied(task, w))
        n_bytes[w] +=
            static_cast<size_t>(task.n_rows) * jobs_[task.job].targets[w]->row_bytes(n_cols);
    }
  }
  batch.encoded.resize(writers_.size());
  for (size_t w = 0; w < writers_.size(); ++w)
    if (batch.encoded[w].size() < n_bytes[w]) batch.encoded[w].resize(n_bytes[w]);
}

std::span<std::byte> Recoder::place_of(Batch& batch, size_t t, size_t w) const {
  const RecodeJob& job = jobs_[tasks_[t].job];
  const size_t n_bytes = job.targets[w]->row_bytes(job.source.shape.n_cols());
  return {batch.encoded[w].data() + batch.at[w][t - batch.first],
          static_cast<size_t>(tasks_[t].n_rows) * n_bytes};
}

// What needs no decoding. False: a number is not finite, or that cannot be told without.
bool Recoder::copy(Batch& batch, size_t t, Scratch& scratch) {
  RecodeTask& task = tasks_[t];
  const quant::Format& f = *jobs_[task.job].source.format;
  for (size_t w = 0; w < writers_.size(); ++w) {
    if (is_copied(task, w)) return are_finite(f, source_bytes(task));
    const std::span out = place_of(batch, t, w);
    put(task, w, scratch, out.data());
    if (!are_finite(f, out)) return false;
  }
  return true;
}

void Recoder::make(Batch& batch, size_t t, Scratch& scratch) {
  RecodeTask& task = tasks_[t];
  const RecodeJob& job = jobs_[task.job];
  task.casts.resize(writers_.size());
  if (!options_.measure_errors && only_copies(task) && copy(batch, t, scratch)) return;
  scratch.x.resize(static_cast<size_t>(task.n_rows * job.source.shape.n_cols()));
  decode_rows(job.source, task.first_row, task.n_rows, scratch.x.data());
  task.largest = largest_magnitude(scratch.x);
  if (task.largest >= kNotFinite) return;  // check() tells
  if (options_.measure_errors) task.errors.resize(writers_.size());
  for (size_t w = 0; w < writers_.size(); ++w) {
    if (is_copied(task, w)) continue;
    const std::span out = place_of(batch, t, w);
    put(task, w, scratch, out.data());
    if (options_.measure_errors) task.errors[w] = measure(*job.targets[w], out, scratch);
  }
}

RecodeError Recoder::measure(const quant::Format& f, std::span<const std::byte> bytes,
                             Scratch& scratch) {
  scratch.decoded.resize(scratch.x.size());
  quant::kernels(f).dequantize(bytes.data(), std::ssize(scratch.x), scratch.decoded.data());
  RecodeError e;
  for (size_t i = 0; i < scratch.x.size(); ++i) {
    const double x = scratch.x[i], lost = scratch.decoded[i] - x;
    e.sum_squares += x * x;
    e.sum_error_squares += lost * lost;
  }
  return e;
}

Result<void> Recoder::check(const Batch& batch) const {
  for (size_t t = batch.first; t < batch.last; ++t) NIBBLE_CHECK(check_values(tasks_[t]));
  return {};
}

Result<void> Recoder::check_values(const RecodeTask& task) const {
  const RecodeJob& job = jobs_[task.job];
  const auto largest = std::bit_cast<float>(task.largest);
  if (task.largest >= kNotFinite)
    return invalid_input("tensor {}: a weight in rows {}..{} is {}, not a finite number",
                         in_quotes(job.source.name), task.first_row,
                         task.first_row + task.n_rows - 1,
                         task.largest == kNotFinite ? "infinite" : "NaN");
  for (size_t w = 0; w < writers_.size(); ++w) {
    const quant::Format& f = *job.targets[w];
    const CastRange* range = cast_range(f);
    const bool holds = range ? options_.clamp || task.casts[w].n_overflows == 0
                             : f.name == "f32" || largest <= kLargestHalf;
    if (!holds && !is_copied(task, w))
      return invalid_input("tensor {}: a weight of magnitude {} is more than {} can hold ({}){}",
                           in_quotes(job.source.name), largest, f.name,
                           range ? range->largest : kLargestHalf,
                           range ? "; --force makes such weights its largest number" : "");
  }
  return {};
}

Result<void> Recoder::write(Batch& batch) {
  for (size_t t = batch.first; t < batch.last; ++t)
    for (size_t w = 0; w < writers_.size(); ++w) {
      const RecodeTask& task = tasks_[t];
      if (is_copied(task, w)) {
        NIBBLE_CHECK(writers_[w].write(source_bytes(task)));
        continue;
      }
      NIBBLE_CHECK(writers_[w].write(place_of(batch, t, w)));
    }
  return {};
}

void Recoder::collect(const Batch& batch, RecodeResult& result) const {
  for (size_t t = batch.first; t < batch.last; ++t)
    for (size_t w = 0; w < tasks_[t].errors.size(); ++w) {
      RecodeError& sum = result.errors[w][tasks_[t].job];
      sum.sum_squares += tasks_[t].errors[w].sum_squares;
      sum.sum_error_squares += tasks_[t].errors[w].sum_error_squares;
    }
  for (size_t t = batch.first; t < batch.last; ++t)
    for (size_t w = 0; w < writers_.size(); ++w) {
      result.casts[w].n_overflows += tasks_[t].casts[w].n_overflows;
      result.casts[w].n_underflows += tasks_[t].casts[w].n_underflows;
    }
}

Result<RecodeResult> Recoder::run(ThreadPool& pool) {
  tasks_ = make_recode_tasks(jobs_);
  RecodeResult result;
  result.errors.assign(writers_.size(), std::vector<RecodeError>(jobs_.size()));
  result.casts.resize(writers_.size());
  uint64_t done = 0, total = 0;
  for (const RecodeTask& task : tasks_) total += n_source_bytes(task);
  Batch batches[2];
  Batch* ready = nullptr;  // made, to be written
  for (size_t first = 0, turn = 0; first < tasks_.size() || ready; ++turn) {
    if (!options_.go_on(done, total)) return fail(ErrorKind::kInterrupted, "interrupted");
    Batch& next = batches[turn % 2];
    place(next, first);
    Result<void> written;
    const auto n_made = static_cast<int>(next.last - next.first);
    pool.run(n_made + 1, [&](int i, int thread) {
      if (i > 0)
        make(next, next.first + static_cast<size_t>(i) - 1, scratch_[static_cast<size_t>(thread)]);
      else if (ready)
        written = write(*ready);
    });
    NIBBLE_CHECK(std::move(written));
    NIBBLE_CHECK(check(next));
    for (size_t t = next.first; t < next.last; ++t) done += n_source_bytes(tasks_[t]);
    collect(next, result);
    first = next.last;
    ready = n_made ? &next : nullptr;
  }
  for (const gguf::Writer& writer : writers_) result.digests.push_back(writer.digests());
  return result;
}

}  // namespace

Result<RecodeResult> recode(std::span<const RecodeJob> jobs, std::span<gguf::Writer> writers,
                            ThreadPool& pool, const RecodeOptions& options) {
  return Recoder(jobs, writers, options, pool.size()).run(pool);
}

}  // namespace nibble
