#include "cli/convert_adapter.h"

#include <array>

#include "cli/model_path.h"
#include "cli/output.h"
#include "core/base/distinct_files.h"
#include "core/base/json.h"
#include "core/pipeline/lora_to_gguf.h"

namespace nibble::cli {

Result<void> convert_adapter(const RewriteOptions& o, const std::string& base,
                             const std::string& out) {
  NIBBLE_TRY(const LoraFile adapter, LoraFile::open(o.source));
  if (!adapter.has_hf_names())
    return fail(ErrorKind::kUsage, "{}: is a GGUF adapter already", one_line(o.source));
  NIBBLE_TRY(const auto path, find_model(base));
  NIBBLE_TRY(const auto model, open_weight_file(path));
  std::vector<std::filesystem::path> read = paths_of(*model);
  read.push_back(adapter.path());
  NIBBLE_CHECK(check_distinct(std::array{std::filesystem::path(out)}, read));
  NIBBLE_TRY(const auto result, write_gguf_adapter(adapter, *model, out, o.force));
  if (o.json)
    return write_out(
        dump_json({{"output", out}, {"bytes", result.n_bytes}, {"pairs", result.n_pairs}}, 1) +
        "\n");
  return write_out(
      fmt::format("{}: adapter of {} pairs, {} bytes\n", out, result.n_pairs, result.n_bytes));
}

}  // namespace nibble::cli
