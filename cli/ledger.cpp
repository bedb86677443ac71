#include "cli/ledger.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/units.h"

namespace nibble::cli {

double relative_error(std::span<const RecodeError> errors) {
  double lost = 0, size = 0;
  for (const RecodeError& e : errors) {
    lost += e.sum_error_squares;
    size += e.sum_squares;
  }
  return size > 0 ? std::sqrt(lost / size) : 0;
}

namespace {

double share(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// One line for each pair of formats asked and used, where they differ.
std::string fallback_lines(const QuantizePlan& plan) {
  struct Row {
    int n = 0;
    uint64_t n_bytes = 0;
  };
  std::map<std::pair<std::string_view, std::string_view>, Row> rows;
  uint64_t total = 0;
  for (size_t i = 0; i < plan.choices.size(); ++i) {
    const auto& choice = plan.choices[i];
    total += plan.tensors[i].n_bytes();
    if (!choice.fell_back()) continue;
    Row& row = rows[{choice.asked->name, choice.used->name}];
    ++row.n;
    row.n_bytes += plan.tensors[i].n_bytes();
  }
  std::string text;
  for (const auto& [names, row] : rows)
    text += fmt::format(
        "  {} -> {}: {} tensors, {} ({:.1f} %), rows are no multiple of the block\n", names.first,
        names.second, row.n, human_bytes(row.n_bytes), 100 * share(row.n_bytes, total));
  return text;
}

// How many tensors a fitted mix gave which format.
std::string format_lines(const QuantizePlan& plan) {
  struct Row {
    int n = 0;
    uint64_t n_bytes = 0;
  };
  std::map<std::string_view, Row> rows;
  for (size_t i = 0; i < plan.choices.size(); ++i) {
    if (plan.choices[i].cause != quant::Cause::kBudget) continue;
    Row& row = rows[plan.choices[i].used->name];
    ++row.n;
    row.n_bytes += plan.tensors[i].n_bytes();
  }
  std::string text;
  for (const auto& [name, row] : rows)
    text += fmt::format("  {:<8} {:>4} tensors, {}\n", name, row.n, human_bytes(row.n_bytes));
  return text;
}

std::string tensor_lines(const WeightFile& source, const QuantizePlan& plan) {
  std::string text;
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const TensorView& t = source.tensors()[i];
    const auto& choice = plan.choices[i];
    text +=
        fmt::format("{:<40} {:>16} {:>8} -> {:<8} {:>12}{}\n", one_line(t.name), to_string(t.shape),
                    t.format->name, choice.used->name, plan.tensors[i].n_bytes(),
                    choice.fell_back() ? fmt::format("  ({} asked)", choice.asked->name) : "");
  }
  return text;
}

std::string cast_line(const RecodeCast& cast) {
  if (cast.n_overflows + cast.n_underflows == 0) return "";
  return fmt::format(
      "  {} weights beyond the type's range became its largest number, {} too small for it zero\n",
      cast.n_overflows, cast.n_underflows);
}

std::string summary(const QuantizePlan& plan, const std::vector<RecodeError>* errors) {
  std::string text = fmt::format("{}: {} ({} bytes), {:.4f} bits per weight, {}\n",
                                 plan.target.path.string(), human_bytes(plan.n_bytes()),
                                 plan.n_bytes(), plan.bpw(), std::string(plan.target.type()));
  if (plan.shards.size() > 1) text += fmt::format("  {} files\n", plan.shards.size());
  if (errors)
    text += fmt::format("  relative error of the weights {:.6f}\n", relative_error(*errors));
  if (plan.target.fitted) text += format_lines(plan);
  return text + fallback_lines(plan);
}

// What the importance matrix knows of the tensors that are encoded.
std::string coverage_line(const Coverage& c) {
  std::string text = fmt::format("  importance of {} of {} tensors",
                                 c.n_tensors - std::ssize(c.without_data), c.n_tensors);
  if (c.n_experts)
    text += fmt::format(", {} of {} experts' matrices seen", c.n_experts_seen, c.n_experts);
  if (c.without_data.empty()) return text + "\n";
  constexpr size_t kShown = 4;
  std::string names;
  for (size_t i = 0; i < std::min(c.without_data.size(), kShown); ++i)
    names += (i ? ", " : "") + one_line(c.without_data[i]);
  const size_t more = c.without_data.size() - std::min(c.without_data.size(), kShown);
  return text + fmt::format("; without data: {}{}\n", names,
                            more ? fmt::format(" and {} more", more) : "");
}

Json coverage_json(const Coverage& c) {
  return {{"tensors", c.n_tensors},
          {"without_data", c.without_data},
          {"experts", c.n_experts},
          {"experts_seen", c.n_experts_seen}};
}

constexpr std::string_view kCauses[] = {"kept", "mix", "rule", "override", "budget"};

Json tensor_json(const WeightFile& source, const QuantizePlan& plan, size_t i,
                 const RecodeError* error) {
  const TensorView& t = source.tensors()[i];
  const auto& choice = plan.choices[i];
  Json row = {{"name", std::string(t.name)},
              {"source_type", std::string(t.format->name)},
              {"asked", std::string(choice.asked->name)},
              {"type", std::string(choice.used->name)},
              {"cause", std::string(kCauses[static_cast<size_t>(choice.cause)])},
              {"source_bytes", t.row_bytes() * static_cast<uint64_t>(t.shape.n_rows())},
              {"bytes", plan.tensors[i].n_bytes()}};
  if (error) row["relative_error"] = relative_error({error, 1});
  return row;
}

Json plan_json(const WeightFile& source, const QuantizePlan& plan,
               const std::vector<RecodeError>* errors) {
  Json tensors = Json::array(), files = Json::array();
  uint64_t n_fallbacks = 0, fallback_bytes = 0, n_data = 0;
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    tensors.push_back(tensor_json(source, plan, i, errors ? &(*errors)[i] : nullptr));
    n_data += plan.tensors[i].n_bytes();
    if (!plan.choices[i].fell_back()) continue;
    ++n_fallbacks;
    fallback_bytes += plan.tensors[i].n_bytes();
  }
  for (const auto& shard : plan.shards)
    files.push_back({{"path", shard.path.string()}, {"bytes", shard.n_bytes}});
  return {{"output", plan.target.path.string()},
          {"type", std::string(plan.target.type())},
          {"bytes", plan.n_bytes()},
          {"bits_per_weight", plan.bpw()},
          {"fallbacks", n_fallbacks},
          {"fallback_share", share(fallback_bytes, n_data)},
          {"files", std::move(files)},
          {"tensors", std::move(tensors)}};
}

}  // namespace

std::string ledger_text(const Ledger& l) {
  std::string text;
  for (size_t w = 0; w < l.plans.size(); ++w) {
    const QuantizePlan& plan = l.plans[w];
    if (l.every_tensor) text += tensor_lines(l.source, plan);
    text += summary(plan, l.errors_of(w));
    if (l.result) text += cast_line(l.result->casts[w]);
    if (l.imatrix) text += coverage_line(coverage_of(plan, *l.imatrix));
  }
  return text;
}

Json ledger_json(const Ledger& l) {
  Json outputs = Json::array();
  for (size_t w = 0; w < l.plans.size(); ++w) {
    outputs.push_back(plan_json(l.source, l.plans[w], l.errors_of(w)));
    if (l.imatrix)
      outputs.back()["importance"] = coverage_json(coverage_of(l.plans[w], *l.imatrix));
  }
  return outputs;
}

}  // namespace nibble::cli
