// See fit_size.h.
#include "core/pipeline/fit_size.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/allocate.h"
#include "core/pipeline/encode_rows.h"
#include "core/pipeline/recipe_input.h"
#include "core/pipeline/sensitivity.h"
#include "formats/gguf_header.h"
#include "quant/encoder.h"
#include "quant/recipe_rules.h"

namespace nibble {
namespace {

constexpr double kLeastShare = 0.97;  // of a budget that must be reachable
// Formats this much below the bits that the budget allows on average are not looked at, to save
// time: an assumption, not a measurement.
constexpr double kBitsBelow = 2.5;

// What a loss in a tensor of this kind does to the predictions: KL divergence for each unit of
// relative squared loss in one tensor. Measured on a float SmolLM2-135M in Q4_0: values alone 0.82,
// all other kinds in layers together 0.2 on average. The output and the embedding are assumed, in
// the order that llama.cpp's mixes have.
struct KindWeight {
  quant::TensorKind kind;
  double weight;
};
using enum quant::TensorKind;
constexpr KindWeight kWeights[] = {
    {kOther, 0.2}, {kOutput, 4},       {kEmbedding, 0.5}, {kV, 0.8},       {kK, 0.2},
    {kQ, 0.2},     {kAttnOutput, 0.2}, {kFfnDown, 0.2},   {kFfnGate, 0.2}, {kFfnUp, 0.2},
};
double weight_of(quant::TensorKind kind) {
  return std::ranges::find(kWeights, kind, &KindWeight::kind)->weight;
}

bool knows(const QuantizeOptions& options, std::string_view tensor) {
  return options.importance_follows ||
         (options.imatrix && options.imatrix->entries.contains(tensor));
}

// Formats that a tensor may get: its own, and those in fewer bits.
std::vector<const quant::Format*> formats_for(const TensorView& t, const QuantizeOptions& options) {
  std::vector<const quant::Format*> formats = {t.format};
  const bool table = t.name == "token_embd.weight" || t.name == "output.weight";
  for (const quant::Format* f : quant::formats()) {
    const auto* encoder = quant::find_encoder(*f);
    if (!can_encode(*f) || t.shape.n_cols() % f->block_len != 0) continue;
    if (f->bpw() >= t.format->bpw()) continue;
    if (encoder && encoder->needs_importance && !table && !knows(options, t.name)) continue;
    formats.push_back(f);
  }
  return formats;
}

class Fit {
 public:
  Fit(const WeightFile& source, const QuantizeOptions& options, const SizeBudget& budget,
      std::filesystem::path target)
      : source_(source), options_(options), budget_(budget), target_(std::move(target)) {
    options_.targets.clear();
  }

  Result<void> prepare();
  Result<void> check() const;
  Result<void> narrow();
  Result<void> measure(ThreadPool& pool, FunctionRef<bool(int, int)> progress);
  Result<FittedMix> choose();

 private:
  struct Free {  // a tensor whose format is to be chosen
    size_t tensor;
    std::vector<const quant::Format*> formats;
    double weight;
  };
  uint64_t cost(const TensorView& t, const quant::Format& f) const {
    const uint64_t n = f.row_bytes(t.shape.n_cols()) * static_cast<uint64_t>(t.shape.n_rows());
    return budget_.n_bytes ? (n + gguf::kDefaultAlignment - 1) / gguf::kDefaultAlignment *
                                 gguf::kDefaultAlignment
                           : n;
  }
  const TensorView& view(const Free& f) const { return source_.tensors()[f.tensor]; }
  Result<uint64_t> total(const std::vector<quant::Choice>& choices) const;
  FittedMix mix_of(std::vector<quant::Choice> choices) const;
  std::vector<quant::Choice> extreme(const std::vector<Free>& free, bool largest) const;

  const WeightFile& source_;
  QuantizeOptions options_;
  const SizeBudget& budget_;
  const std::filesystem::path target_;
  std::vector<quant::Choice> choices_;  // of all tensors; those of free ones are to be replaced
  std::vector<Free> free_;
  double n_weights_ = 0;
  uint64_t limit_ = 0;  // what the budget allows, as total() counts
  uint64_t least_ = 0, most_ = 0;
  std::vector<AllocationItem> items_;  // of free tensors
};

// Finds which tensors are free, and between which sizes the files can be.
Result<void> Fit::prepare() {
  const auto tensors = recipe_tensors(source_);
  const auto model =
      recipe_model(source_.metadata(), options_.imatrix || options_.importance_follows);
  NIBBLE_TRY(choices_,
             quant::choose_formats(*quant::find_mix("q8_0"), model, tensors, options_.overrides));
  const auto places = quant::find_places(model, tensors);
  for (const TensorView& t : source_.tensors())
    n_weights_ += static_cast<double>(t.shape.n_elements());
  limit_ = budget_.n_bytes ? budget_.n_bytes
                           : static_cast<uint64_t>(std::round(budget_.bpw * n_weights_ / 8));
  for (size_t i = 0; i < choices_.size(); ++i) {
    const TensorView& t = source_.tensors()[i];
    const bool fixed =
        choices_[i].cause == quant::Cause::kKept || choices_[i].cause == quant::Cause::kOverride;
    if (!fixed) free_.push_back({i, formats_for(t, options_), weight_of(places[i].kind)});
  }
  NIBBLE_TRY(least_, total(extreme(free_, false)));
  NIBBLE_TRY(most_, total(extreme(free_, true)));
  return {};
}

// Leaves out formats far below the bits of the budget, no more than leave a mix that fits it.
Result<void> Fit::narrow() {
  for (double bits = 8.0 * static_cast<double>(limit_) / n_weights_ - kBitsBelow;; --bits) {
    std::vector<Free> free = free_;
    for (Free& f : free)
      std::erase_if(f.formats,
                    [&](const quant::Format* x) { return x != view(f).format && x->bpw() < bits; });
    NIBBLE_TRY(const uint64_t least, total(extreme(free, false)));
    if (least > limit_) continue;
    least_ = least;
    free_ = std::move(free);
    return {};
  }
}

std::vector<quant::Choice> Fit::extreme(const std::vector<Free>& free, bool largest) const {
  std::vector<quant::Choice> choices = choices_;
  for (const Free& f : free) {
    const auto by_bits = [](const quant::Format* x) { return x->bpw(); };
    const quant::Format* chosen = largest ? std::ranges::max(f.formats, {}, by_bits)
                                          : std::ranges::min(f.formats, {}, by_bits);
    choices[f.tensor] = {chosen, chosen, quant::Cause::kBudget};
  }
  return choices;
}

FittedMix Fit::mix_of(std::vector<quant::Choice> choices) const {
  std::map<std::string_view, uint64_t> bytes;  // by format
  for (const Free& f : free_)
    bytes[choices[f.tensor].used->name] += cost(view(f), *choices[f.tensor].used);
  FittedMix mix{.choices = std::move(choices), .recipe = budget_.text, .file_type = 0};
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& b) { return b.second; });
  for (const quant::Mix& m : quant::mixes())
    if (most != bytes.end() && m.format == most->first) {
      mix.file_type = m.file_type;
      break;
    }
  return mix;
}

// Bytes of the files, or of the data alone, as the budget counts them.
Result<uint64_t> Fit::total(const std::vector<quant::Choice>& choices) const {
  uint64_t n = 0;
  if (!budget_.n_bytes) {
    for (size_t i = 0; i < choices.size(); ++i) n += cost(source_.tensors()[i], *choices[i].used);
    return n;
  }
  QuantizeOptions options = options_;
  options.targets = {
      {.path = target_, .mix = nullptr, .fitted = std::make_shared<FittedMix>(mix_of(choices))}};
  NIBBLE_TRY(const auto plans, plan_quantize(source_, options));
  return plans[0].n_bytes();
}

// Either end of the range can be asked for as it is told.
Result<void> Fit::check() const {
  const auto told = [&](uint64_t n, double (*round)(double)) {
    if (budget_.n_bytes) return fmt::format("takes {} bytes", n);
    const double bits = 8.0 * static_cast<double>(n) / n_weights_;
    return fmt::format("has {:.4f} bits per weight", round(bits * 1e4) / 1e4);
  };
  if (least_ > limit_)
    return invalid_input("{}: the smallest mix {}", budget_.text, told(least_, std::ceil));
  if (static_cast<double>(most_) < kLeastShare * static_cast<double>(limit_))
    return invalid_input("{}: the largest mix {}", budget_.text, told(most_, std::floor));
  return {};
}

Result<void> Fit::measure(ThreadPool& pool, FunctionRef<bool(int, int)> progress) {
  std::vector<std::vector<float>> importance(free_.size());
  std::vector<SensitivityJob> jobs;
  for (size_t i = 0; i < free_.size(); ++i) {
    const TensorView& t = view(free_[i]);
    if (options_.imatrix) {
      NIBBLE_TRY(importance[i],
                 options_.imatrix->importance(t.name, n_matrices(t.shape), t.shape.n_cols()));
    }
    jobs.push_back({t, free_[i].formats, importance[i]});
  }
  const auto go_on = [&](int done) { return progress(done, static_cast<int>(jobs.size())); };
  NIBBLE_TRY(const auto losses, measure_losses(jobs, pool, go_on));
  for (size_t i = 0; i < free_.size(); ++i) {
    AllocationItem& item = items_.emplace_back();
    for (size_t f = 0; f < free_[i].formats.size(); ++f)
      item.push_back({cost(view(free_[i]), *free_[i].formats[f]), free_[i].weight * losses[i][f]});
  }
  return {};
}

// What stands beside the free tensors depends a little on what is chosen (shards, keys), so the
// rest is found in a few rounds.
Result<FittedMix> Fit::choose() {
  uint64_t smallest = 0;
  for (const AllocationItem& item : items_)
    smallest += std::ranges::min(item, {}, &AllocationOption::n_bytes).n_bytes;
  uint64_t data = limit_ - (least_ - smallest);
  for (int round = 0; round < 4; ++round) {
    const auto chosen = allocate(items_, std::max(data, smallest));
    std::vector<quant::Choice> choices = choices_;
    for (size_t i = 0; i < free_.size(); ++i) {
      const quant::Format* f = free_[i].formats[chosen[i]];
      choices[free_[i].tensor] = {f, f, quant::Cause::kBudget};
    }
    NIBBLE_TRY(const uint64_t n, total(choices));
    if (n <= limit_) return mix_of(std::move(choices));
    data -= std::min(data, n - limit_);
  }
  return invalid_input("{}: no mix was found that fits", budget_.text);
}

}  // namespace

Result<void> check_reach(const WeightFile& source, const QuantizeOptions& options,
                         const SizeBudget& budget, const std::filesystem::path& target) {
  Fit fit(source, options, budget, target);
  NIBBLE_CHECK(fit.prepare());
  return fit.check();
}

Result<FittedMix> fit_mix(const WeightFile& source, const QuantizeOptions& options,
                          const SizeBudget& budget, const std::filesystem::path& target,
                          ThreadPool& pool, FunctionRef<bool(int, int)> progress) {
  Fit fit(source, options, budget, target);
  NIBBLE_CHECK(fit.prepare());
  NIBBLE_CHECK(fit.check());
  NIBBLE_CHECK(fit.narrow());
  NIBBLE_CHECK(fit.measure(pool, progress));
  return fit.choose();
}

}  // namespace nibble
