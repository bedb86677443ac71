#include "cli/importance.h"

#include <filesystem>
#include <utility>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/models/model.h"
#include "core/pipeline/calibrate.h"

namespace nibble::cli {
namespace {

constexpr int kWindow = 512;  // tokens, as llama-imatrix has them

}  // namespace

Result<void> check_importance_options(const ImportanceOptions& o) {
  if (!o.file.empty() && !o.text.empty())
    return fail(ErrorKind::kUsage, "--imatrix and --calibrate exclude one another");
  if (!o.save.empty() && !o.any())
    return fail(ErrorKind::kUsage, "--save-imatrix needs --calibrate or --imatrix");
  std::error_code ignored;
  if (!o.save.empty() && !o.overwrite && std::filesystem::exists(o.save, ignored))
    return fail(ErrorKind::kUsage, "--save-imatrix {}: exists already; --force replaces it",
                one_line(o.save));
  return {};
}

Result<std::optional<Imatrix>> read_importance(const ImportanceOptions& o) {
  if (o.file.empty()) return std::nullopt;
  return read_imatrix(o.file);
}

Result<Imatrix> collect_importance(const ImportanceOptions& o, const std::string& model_path,
                                   int n_threads) {
  NIBBLE_TRY(const std::string text, read_text(o.text));
  NIBBLE_TRY(TextSource source, open_text_source(model_path));
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const EvalWindows windows, make_windows(*source.tokenizer, text, kWindow));
  NIBBLE_TRY(const Model model, Model::load(*source.file));
  ThreadPool pool(n_threads);
  Progress progress;
  auto show = [&](int done, int total, double so_far) {
    return progress.show(fmt::format("calibrate, perplexity {:.3f}, window", so_far), done, total,
                         "windows");
  };
  NIBBLE_TRY(Calibration found, calibrate(model, pool, windows, o.text, show));
  progress.wipe();
  notice("calibrated on {} windows of {} tokens, perplexity {:.4f}", windows.n_windows, windows.n,
         found.perplexity.perplexity);
  return std::move(found.imatrix);
}

Result<void> save_importance(const ImportanceOptions& o, const Imatrix& imatrix) {
  return o.save.empty() ? Result<void>() : write_imatrix(imatrix, o.save, o.overwrite);
}

}  // namespace nibble::cli
