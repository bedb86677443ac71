#include "cli/convert_hf.h"

#include <algorithm>
#include <array>

#include "cli/convert_steps.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/sizes.h"
#include "cli/units.h"
#include "core/base/distinct_files.h"
#include "core/base/json.h"
#include "core/pipeline/to_hf.h"

namespace nibble::cli {
namespace {

Result<const StoredType*> parse_type(const std::string& name) {
  if (name.empty()) return nullptr;
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const StoredType* type = find_stored_type(upper);
  if (type && type->has_kernels()) return type;
  return fail(ErrorKind::kUsage, "--type {}: a Hugging Face folder takes f32, f16 or bf16",
              one_line(name));
}

Result<void> print(const RewriteOptions& o, const std::string& out, const ToHfResult& r,
                   double seconds) {
  if (o.json)
    return write_out(dump_json({{"source", o.source},
                                {"output", out},
                                {"bytes", r.n_bytes},
                                {"tensors", r.n_tensors},
                                {"files", r.n_files},
                                {"torch_dtype", std::string(r.torch_dtype)},
                                {"tokenizer", r.has_tokenizer},
                                {"seconds", seconds}},
                               1) +
                     "\n");
  return write_out(fmt::format("{}: {} ({} bytes), {} tensors in {} files, {}\n", out,
                               human_bytes(r.n_bytes), r.n_bytes, r.n_tensors, r.n_files,
                               r.torch_dtype));
}

}  // namespace

Result<void> convert_to_hf(const RewriteOptions& o, const std::string& out,
                           const std::string& type) {
  NIBBLE_TRY(const StoredType* const stored, parse_type(type));
  uint64_t max_shard = 0;
  if (!o.max_shard.empty()) {
    NIBBLE_TRY(max_shard, parse_bytes("--max-shard", o.max_shard));
  }
  NIBBLE_TRY(const auto path, find_model(o.source));
  NIBBLE_TRY(GgufSource source, open_as_gguf(path));
  NIBBLE_TRY(const LoraFiles adapters, LoraFiles::open(o.lora));
  std::vector<std::filesystem::path> read = paths_of(*source.file);
  adapters.add_paths(read);
  NIBBLE_CHECK(check_distinct(std::array{std::filesystem::path(out)}, read));
  NIBBLE_CHECK(merge_lora(o, adapters, source));
  ThreadPool pool(o.threads());
  Progress progress;
  const auto go_on = [&](uint64_t done, uint64_t total) {
    return progress.show_bytes("write", done, total);
  };
  const double start = now_s();
  NIBBLE_TRY(const ToHfResult result, write_hf_folder(*source.file,
                                                      {.target = out,
                                                       .type = stored,
                                                       .max_shard_bytes = max_shard,
                                                       .overwrite = o.force,
                                                       .go_on = go_on},
                                                      pool));
  progress.wipe();
  if (!result.left_out.empty())
    notice("{} tensors that the family does not use are left out, as {}", result.left_out.size(),
           result.left_out.front());
  if (!result.has_tokenizer) notice("the model has no tokenizer: the folder will not have one");
  return print(o, out, result, now_s() - start);
}

}  // namespace nibble::cli
