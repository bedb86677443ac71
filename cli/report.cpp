#include "cli/report.h"

#include <filesystem>
#include <span>

#include "cli/eval.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/base/output_file.h"
#include "core/pipeline/report.h"

namespace nibble::cli {
namespace {

bool is_html(const std::string& file) { return file.ends_with(".html"); }

ReportTensor tensor_row(const Ledger& l, size_t i) {
  const QuantizePlan& plan = l.plans[0];
  const TensorView& t = l.source.tensors()[i];
  return {.name = one_line(t.name),
          .source_type = std::string(t.format->name),
          .type = std::string(plan.tensors[i].format->name),
          .n_source_bytes = t.row_bytes() * static_cast<uint64_t>(t.shape.n_rows()),
          .n_bytes = plan.tensors[i].n_bytes(),
          .relative_error = relative_error({&(*l.errors_of(0))[i], 1})};
}

// Runs source and output over the text, side by side.
Result<Divergence> compare(const std::string& text_path, const std::string& source_path,
                           const std::string& output_path, const EvalOptions& o) {
  NIBBLE_TRY(const std::string text, read_text(text_path));
  NIBBLE_TRY(TextSource source, open_text_source(source_path));
  NIBBLE_TRY(TextSource output, open_text_source(output_path));
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const EvalWindows windows, make_windows(*source.tokenizer, text, o.n_ctx));
  ThreadPool pool(o.threads());
  NIBBLE_TRY(const Evaluation before, prepare(o, std::move(source.file), pool, o.n_ctx, o.exact));
  NIBBLE_TRY(const Evaluation after, prepare(o, std::move(output.file), pool, o.n_ctx, o.exact));
  Progress progress;
  auto show = [&](int done, int total, double so_far) {
    return progress.show(fmt::format("KL {:.5f}, window", so_far), done, total, "windows");
  };
  return eval_divergence(*after.engine, *before.engine, windows, pool, show);
}

Report make_report(const RewriteOptions& o, const Ledger& l) {
  const QuantizePlan& plan = l.plans[0];
  Report r{.source = one_line(o.source),
           .output = one_line(plan.target.path.string()),
           .type = std::string(plan.target.type()),
           .n_source_bytes = l.source.n_bytes(),
           .n_bytes = plan.n_bytes(),
           .bpw = plan.bpw(),
           .relative_error = relative_error(*l.errors_of(0)),
           .tensors = {},
           .text = {},
           .divergence = {}};
  for (size_t i = 0; i < plan.tensors.size(); ++i) r.tensors.push_back(tensor_row(l, i));
  return r;
}

}  // namespace

Result<void> check_report_options(const ReportOptions& o, bool force) {
  if (o.file.empty()) {
    if (o.text.empty()) return {};
    return fail(ErrorKind::kUsage, "--report-text needs --report FILE");
  }
  if (!is_html(o.file) && !o.file.ends_with(".json"))
    return fail(ErrorKind::kUsage, "--report {}: expected a name in .html or .json",
                one_line(o.file));
  std::error_code ignored;
  if (!force && std::filesystem::exists(o.file, ignored))
    return fail(ErrorKind::kUsage, "--report {}: exists already; --force replaces it",
                one_line(o.file));
  return {};
}

Result<void> write_report(const ReportOptions& o, const RewriteOptions& rewrite,
                          const Ledger& ledger) {
  Report report = make_report(rewrite, ledger);
  if (!o.text.empty()) {
    EvalOptions eval;
    eval.n_threads = rewrite.n_threads;
    const std::string output = ledger.plans[0].shards[0].path.string();
    NIBBLE_TRY(report.divergence, compare(o.text, rewrite.source, output, eval));
    report.text = one_line(o.text);
  }
  const std::string text =
      is_html(o.file) ? report_html(report) : dump_json(report_json(report), 1) + "\n";
  NIBBLE_TRY(OutputFile file, OutputFile::create(o.file, rewrite.force));
  NIBBLE_CHECK(file.write(std::as_bytes(std::span(text))));
  return file.commit();
}

}  // namespace nibble::cli
