#include "cli/rewrite.h"

#include <cmath>
#include <map>

#include "cli/convert_steps.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/sizes.h"
#include "cli/units.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

double share(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string type_of(const QuantizePlan& plan) {
  return std::string(plan.target.mix ? plan.target.mix->name : "as stored");
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

// Root mean square of what weights lost over that of the weights.
double relative_error(std::span<const RecodeError> errors) {
  double lost = 0, size = 0;
  for (const RecodeError& e : errors) {
    lost += e.sum_error_squares;
    size += e.sum_squares;
  }
  return size > 0 ? std::sqrt(lost / size) : 0;
}

std::string cast_line(const RecodeCast& cast) {
  if (cast.n_overflows + cast.n_underflows == 0) return "";
  return fmt::format(
      "  {} weights beyond the type's range became its largest number, {} too small for it zero\n",
      cast.n_overflows, cast.n_underflows);
}

std::string summary(const QuantizePlan& plan, const std::vector<RecodeError>* errors) {
  std::string text =
      fmt::format("{}: {} ({} bytes), {:.4f} bits per weight, {}\n", plan.target.path.string(),
                  human_bytes(plan.n_bytes()), plan.n_bytes(), plan.bpw(), type_of(plan));
  if (plan.shards.size() > 1) text += fmt::format("  {} files\n", plan.shards.size());
  if (errors)
    text += fmt::format("  relative error of the weights {:.6f}\n", relative_error(*errors));
  return text + fallback_lines(plan);
}

constexpr std::string_view kCauses[] = {"kept", "mix", "rule", "override"};

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
          {"type", type_of(plan)},
          {"bytes", plan.n_bytes()},
          {"bits_per_weight", plan.bpw()},
          {"fallbacks", n_fallbacks},
          {"fallback_share", share(fallback_bytes, n_data)},
          {"files", std::move(files)},
          {"tensors", std::move(tensors)}};
}

// What came of the steps around the plan.
struct Steps {
  double hash_s = 0, write_s = 0;
  VerifyReport verified;
};

const std::vector<RecodeError>* errors_of(const RewriteOptions& o, const RecodeResult* result,
                                          size_t w) {
  return result && o.errors ? &result->errors[w] : nullptr;
}

Result<void> print_result(const RewriteOptions& o, const WeightFile& source,
                          std::span<const QuantizePlan> plans, const RecodeResult* result,
                          const Steps& steps) {
  if (!o.json) {
    std::string text;
    for (size_t w = 0; w < plans.size(); ++w)
      text += (o.dry_run ? tensor_lines(source, plans[w]) : "") +
              summary(plans[w], errors_of(o, result, w)) +
              (result ? cast_line(result->casts[w]) : "");
    return write_out(text + steps.verified.text);
  }
  Json outputs = Json::array();
  for (size_t w = 0; w < plans.size(); ++w)
    outputs.push_back(plan_json(source, plans[w], errors_of(o, result, w)));
  Json all = {{"source", o.source},
              {"dry_run", o.dry_run},
              {"seconds", steps.write_s},
              {"hash_seconds", steps.hash_s},
              {"outputs", std::move(outputs)}};
  if (o.verify) all["verified"] = steps.verified.json;
  return write_out(dump_json(all, 1) + "\n");
}

Result<RecodeResult> write_files(const RewriteOptions& o, WeightFile& source,
                                 std::span<QuantizePlan> plans, const Imatrix* imatrix) {
  ThreadPool pool(o.n_threads ? o.n_threads : default_threads());
  const SignalWatch watch;
  ProgressLine progress;
  auto go_on = [&](uint64_t done, uint64_t total) {
    progress.show("write", static_cast<double>(done) / 1e6, static_cast<double>(total) / 1e6, "MB");
    return pending_signal() == 0;
  };
  return quantize(source, plans, imatrix, pool, {o.force, o.errors, o.force, go_on});
}

}  // namespace

Result<quant::Override> parse_override(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos || at == 0)
    return fail(ErrorKind::kUsage, "--tensor {}: expected PATTERN=TYPE", one_line(text));
  const std::string name = text.substr(at + 1);
  const quant::Format* format = quant::find_format(name);
  if (!format)
    if (const quant::Mix* mix = quant::find_mix(name)) format = quant::find_format(mix->format);
  if (!format || !can_encode(*format))
    return fail(ErrorKind::kUsage, "--tensor {}: no type '{}' that can be written", one_line(text),
                one_line(name));
  return quant::Override{text.substr(0, at), format};
}

Result<const quant::Mix*> parse_mix(const std::string& name) {
  const quant::Mix* mix = quant::find_mix(name);
  if (mix && quant::can_write(*mix)) return mix;
  std::string known;
  for (const auto& m : quant::mixes())
    if (quant::can_write(m)) known += (known.empty() ? "" : ", ") + std::string(m.name);
  return fail(ErrorKind::kUsage, "no type '{}' that can be written; there are {}", one_line(name),
              known);
}

Result<void> rewrite(const RewriteOptions& o, QuantizeOptions plan) {
  for (const auto& text : o.overrides) {
    NIBBLE_TRY(plan.overrides.emplace_back(), parse_override(text));
  }
  if (!o.max_shard.empty()) {
    NIBBLE_TRY(plan.max_shard_bytes, parse_bytes("--max-shard", o.max_shard));
  }
  NIBBLE_TRY(const auto path, find_model(o.source));
  NIBBLE_TRY(GgufSource opened, open_as_gguf(path));
  NIBBLE_CHECK(merge_lora(o, opened));
  const auto& source = opened.file;
  tell_notes(opened.notes);
  Imatrix imatrix;
  if (!o.imatrix.empty()) {
    NIBBLE_TRY(imatrix, read_imatrix(o.imatrix));
    plan.imatrix = &imatrix;
  }
  NIBBLE_TRY(auto plans, plan_quantize(*source, plan));
  if (o.dry_run) return print_result(o, *source, plans, nullptr, {});
  Steps steps;
  NIBBLE_CHECK(hash_sources(o, opened, steps.hash_s));
  NIBBLE_TRY(plans, plan_quantize(*source, plan));  // with the hashes
  const double start = now_s();
  NIBBLE_TRY(const RecodeResult result, write_files(o, *source, plans, plan.imatrix));
  steps.write_s = now_s() - start;
  if (o.verify) {
    NIBBLE_TRY(steps.verified, verify_outputs(o, opened, plans, result));
  }
  return print_result(o, *source, plans, &result, steps);
}

}  // namespace nibble::cli
