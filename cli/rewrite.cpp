#include "cli/rewrite.h"

#include <memory>
#include <optional>

#include "cli/convert_steps.h"
#include "cli/ledger.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "core/base/distinct_files.h"
#include "core/base/output_file.h"
#include "core/pipeline/encode_rows.h"
#include "core/pipeline/fit_size.h"

namespace nibble::cli {
namespace {

namespace fs = std::filesystem;

// What came of the steps around the plan.
struct Steps {
  double hash_s = 0, write_s = 0;
  VerifyReport verified;
};

Result<void> print_result(const RewriteOptions& o, const Ledger& ledger, const Steps& steps) {
  if (!o.json) return write_out(ledger_text(ledger) + steps.verified.text);
  Json all = {{"source", o.source},
              {"dry_run", o.dry_run},
              {"seconds", steps.write_s},
              {"hash_seconds", steps.hash_s},
              {"outputs", ledger_json(ledger)}};
  if (o.verify) all["verified"] = steps.verified.json;
  return write_out(dump_json(all, 1) + "\n");
}

Result<RecodeResult> write_files(const RewriteOptions& o, WeightFile& source,
                                 std::span<QuantizePlan> plans, const Imatrix* imatrix) {
  ThreadPool pool(o.threads());
  Progress progress;
  auto go_on = [&](uint64_t done, uint64_t total) {
    return progress.show_bytes("write", done, total);
  };
  const QuantizeRun run{.overwrite = o.force,
                        .measure_errors = o.errors || !o.report.empty(),
                        .clamp = o.force,
                        .resume = o.resume,
                        .go_on = go_on};
  NIBBLE_TRY(RecodeResult result, quantize(source, plans, imatrix, pool, run));
  if (result.n_taken_up > 0)
    notice("took up {} of {} tensors that an earlier run had written", result.n_taken_up,
           source.tensors().size());
  return result;
}

// What --size or --bpw ask for; nullopt: neither.
Result<std::optional<SizeBudget>> read_budget(const RewriteOptions& o) {
  if (!o.size.empty()) {
    NIBBLE_TRY(const uint64_t n_bytes, parse_bytes("--size", o.size));
    return SizeBudget{.n_bytes = n_bytes, .bpw = 0, .text = "--size " + o.size};
  }
  if (!o.bpw) return std::nullopt;
  return SizeBudget{.n_bytes = 0, .bpw = *o.bpw, .text = fmt::format("--bpw {}", *o.bpw)};
}

// Makes the first target's mix.
Result<void> fit(const RewriteOptions& o, const WeightFile& source, const SizeBudget& budget,
                 QuantizeOptions& plan) {
  ThreadPool pool(o.threads());
  Progress progress;
  const auto show = [&](int done, int total) {
    return progress.show("measure", done, total, "tensors");
  };
  QuantizeTarget& target = plan.targets[0];
  NIBBLE_TRY(FittedMix mix, fit_mix(source, plan, budget, target.path, pool, show));
  target.fitted = std::make_shared<const FittedMix>(std::move(mix));
  return {};
}

// What the outputs must not be.
std::vector<fs::path> paths_read(const RewriteOptions& o, const WeightFile& source,
                                 const LoraFiles& adapters) {
  std::vector<fs::path> paths = paths_of(source);
  adapters.add_paths(paths);
  for (const std::string* file : {&o.importance.file, &o.importance.text, &o.report_text})
    if (!file->empty() && *file != "-") paths.emplace_back(*file);
  return paths;
}

// outputs: those that are in no plan yet.
Result<void> check_outputs(const RewriteOptions& o, std::span<const QuantizePlan> plans,
                           const std::vector<fs::path>& read, std::vector<fs::path> outputs = {}) {
  for (const QuantizePlan& plan : plans)
    for (const gguf::Shard& shard : plan.shards) outputs.push_back(shard.path);
  for (const std::string* file : {&o.importance.save, &o.report})
    if (!file->empty()) outputs.emplace_back(*file);
  NIBBLE_CHECK(check_distinct(outputs, read));
  return o.dry_run ? Result<void>() : check_targets(plans, o.force, o.resume);
}

// Of outputs that are in no plan.
Result<void> check_writable(const RewriteOptions& o, std::span<const fs::path> fitted) {
  if (const std::string& save = o.importance.save; !save.empty())
    NIBBLE_CHECK(save.ends_with(".dat") ? OutputFile::check(save, o.force)
                                        : OutputFile::check_partial(save, o.force));
  if (!o.report.empty()) NIBBLE_CHECK(OutputFile::check(o.report, o.force));
  for (const fs::path& target : fitted) NIBBLE_CHECK(OutputFile::check_partial(target, o.force));
  return {};
}

// Calibrating, measuring and writing take long: what is going to be refused, or to fail because an
// output cannot be written, does so before.
Result<void> check_before_work(const RewriteOptions& o, const WeightFile& source,
                               const QuantizeOptions& plan, const std::optional<SizeBudget>& budget,
                               const std::vector<fs::path>& read) {
  QuantizeOptions known = plan;
  std::vector<fs::path> fitted;
  if (budget) {
    if (plan.max_shard_bytes == 0) fitted.push_back(plan.targets[0].path);
    known.targets.erase(known.targets.begin());
  }
  NIBBLE_TRY(const auto plans, plan_quantize(source, known));
  NIBBLE_CHECK(check_outputs(o, plans, read, fitted));
  if (!o.dry_run) NIBBLE_CHECK(check_writable(o, fitted));
  return budget ? check_reach(source, plan, *budget, plan.targets[0].path) : Result<void>();
}

}  // namespace

void add_rewrite_options(App& command, RewriteOptions& o) {
  add_list(command, "--tensor", o.overrides,
           "Tensors whose name the expression is found in get this format; the first that fits")
      ->type_name("PATTERN=TYPE")
      ->group("Formats");
  command
      .add_flag("--from-quantized", o.from_quantized, "Quantize again what is quantized already")
      ->group("Formats");
  command.add_option("--imatrix", o.importance.file, "Importance matrix, GGUF or .dat")
      ->type_name("FILE")
      ->group("Importance");
  command
      .add_option("--max-shard", o.max_shard,
                  "Split into files of at most this size; no tensor is divided, a larger one "
                  "makes a larger file")
      ->type_name("SIZE")
      ->group("Output");
  command
      .add_flag("--resume", o.resume,
                "Go on where an interrupted run of the same command ended; interrupted again, "
                "leave what is done in hidden files beside OUT")
      ->group("Output");
  command
      .add_flag("--force", o.force,
                "Replace existing files; write weights beyond a 16-bit float's range as its "
                "largest number")
      ->group("Output");
  command.add_flag("--dry-run", o.dry_run, "Tell what would be written, to the byte")
      ->group("Output");
  command.add_flag("--json", o.json, "The result as one JSON document")->group("Output");
  add_threads(command, o);
}

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
  NIBBLE_CHECK(check_importance_options(o.importance));
  const ReportOptions report{
      o.report, o.report_text.empty() && !o.report.empty() ? o.importance.text : o.report_text};
  NIBBLE_CHECK(check_report_options(report, o.force));
  plan.from_quantized = o.from_quantized;
  for (const auto& text : o.overrides) {
    NIBBLE_TRY(plan.overrides.emplace_back(), parse_override(text));
  }
  if (!o.max_shard.empty()) {
    NIBBLE_TRY(plan.max_shard_bytes, parse_bytes("--max-shard", o.max_shard));
  }
  NIBBLE_TRY(const auto path, find_model(o.source));
  NIBBLE_TRY(GgufSource opened, open_as_gguf(path));
  NIBBLE_TRY(const LoraFiles adapters, LoraFiles::open(o.lora));
  const auto read = paths_read(o, *opened.file, adapters);
  NIBBLE_TRY(plan.lora, merge_lora(o, adapters, opened));
  const auto& source = opened.file;
  tell_notes(opened.notes);
  NIBBLE_TRY(const auto budget, read_budget(o));
  NIBBLE_TRY(auto imatrix, read_importance(o.importance));
  plan.imatrix = imatrix ? &*imatrix : nullptr;
  plan.importance_follows = !o.importance.text.empty();
  NIBBLE_CHECK(check_before_work(o, *source, plan, budget, read));
  if (plan.importance_follows) {
    NIBBLE_TRY(imatrix, collect_importance(o.importance, o.source, o.threads()));
    plan.imatrix = &*imatrix;
    plan.importance_follows = false;
  }
  if (imatrix) NIBBLE_CHECK(save_importance(o.importance, *imatrix));
  if (budget) NIBBLE_CHECK(fit(o, *source, *budget, plan));
  Steps steps;
  if (!o.dry_run) NIBBLE_CHECK(hash_sources(o, opened, steps.hash_s));
  NIBBLE_TRY(auto plans, plan_quantize(*source, plan));
  if (budget) NIBBLE_CHECK(check_outputs(o, plans, read));  // shards of the fitted mix
  Ledger ledger{
      .source = *source, .plans = plans, .imatrix = plan.imatrix, .every_tensor = o.dry_run};
  if (o.dry_run) return print_result(o, ledger, steps);
  const double start = now_s();
  NIBBLE_TRY(const RecodeResult result, write_files(o, *source, plans, plan.imatrix));
  steps.write_s = now_s() - start;
  ledger.result = &result;
  ledger.with_errors = o.errors || !o.report.empty();
  if (!report.file.empty()) NIBBLE_CHECK(write_report(report, o, ledger));
  if (o.verify) {
    NIBBLE_TRY(steps.verified, verify_outputs(o, opened, plans, result));
  }
  return print_result(o, ledger, steps);
}

}  // namespace nibble::cli
