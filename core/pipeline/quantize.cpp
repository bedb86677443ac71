#include "core/pipeline/quantize.h"

#include <algorithm>

#include "core/base/printable.h"
#include "core/pipeline/convert.h"
#include "core/pipeline/encode_rows.h"
#include "core/pipeline/recipe_input.h"
#include "core/pipeline/stored_rows.h"
#include "formats/gguf_header.h"
#include "quant/encoder.h"

namespace nibble {
namespace {

bool is_quantized(const quant::Format& f) { return f.block_len > 1; }

// Whether rows are written byte for byte, where the format stays the same.
bool is_as_stored(const TensorView& t) {
  const auto* rows = dynamic_cast<const StoredRows*>(t.decoder);
  return !t.decoder || (rows && rows->copies());
}

Result<void> check_choice(const TensorView& t, const quant::Choice& choice,
                          const QuantizeOptions& options) {
  if (choice.fell_back() && options.no_fallback)
    return invalid_input(
        "tensor {}: rows of {} weights are no multiple of {}'s block of {}; "
        "without --no-fallback it becomes {}",
        in_quotes(t.name), t.shape.n_cols(), choice.asked->name, choice.asked->block_len,
        choice.used->name);
  if (choice.used == t.format && is_as_stored(t)) return {};
  if (is_quantized(*t.format) && !options.from_quantized)
    return invalid_input(
        "tensor {} is quantized already ({}); quantizing again loses more: take "
        "the original, or allow it with --from-quantized",
        in_quotes(t.name), t.format->name);
  if (!can_encode(*choice.used))
    return unsupported("tensor {}: {} cannot be written", in_quotes(t.name), choice.used->name);
  return {};
}

// Formats that are poor without importance need it, but for the embedding and the output matrix.
Result<void> check_importance(const TensorView& t, const quant::Choice& choice,
                              const QuantizeOptions& options) {
  const Imatrix* imatrix = options.imatrix;
  if (options.importance_follows) return {};
  const auto* encoder = quant::find_encoder(*choice.used);
  if (choice.used == t.format || !encoder || !encoder->needs_importance) return {};
  if (t.name == "token_embd.weight" || t.name == "output.weight") return {};
  if (imatrix && imatrix->entries.contains(t.name)) return {};
  return invalid_input("tensor {}: {} needs importance (--calibrate TEXT or --imatrix FILE){}",
                       in_quotes(t.name), choice.used->name,
                       imatrix ? ", and what there is does not have the tensor" : "");
}

Result<void> check_importance_sizes(const WeightFile& source, const Imatrix* imatrix) {
  if (!imatrix) return {};
  bool any = false;
  for (const TensorView& t : source.tensors()) {
    NIBBLE_TRY(const auto found,
               imatrix->importance(t.name, n_matrices(t.shape), t.shape.n_cols()));
    any = any || !found.empty();
  }
  if (!any) return invalid_input("the importance matrix has none of the model's tensors");
  return {};
}

std::string recipe_text(const QuantizeTarget& target, const QuantizeOptions& options) {
  std::string text(target.type());
  for (const auto& o : options.overrides) text += fmt::format("; {}={}", o.pattern, o.format->name);
  return text;
}

// What this step adds to the record of steps that made the file (see convert.h).
std::string command_of(const QuantizeTarget& target, const QuantizeOptions& options) {
  std::string text =
      fmt::format("nibble quantize IN OUT {}{}", target.mix ? "--type " : "", target.type());
  for (const auto& o : options.overrides)
    text += fmt::format(" --tensor '{}={}'", o.pattern, o.format->name);
  return text + (options.imatrix ? " --imatrix FILE" : "");
}

MetadataDraft metadata_of(const WeightFile& source, const QuantizeTarget& target,
                          const QuantizeOptions& options) {
  MetadataDraft draft(source.metadata());
  if (options.lora) add_lora_keys(*options.lora, draft);
  if (!target.mix && !target.fitted) return draft;
  draft.remove_prefix("quantize.imatrix.");
  draft.set_u32("general.quantization_version", 2);
  draft.set_u32("general.file_type", target.mix ? target.mix->file_type : target.fitted->file_type);
  draft.set_text("nibble.recipe", recipe_text(target, options));
  add_command(command_of(target, options), draft);
  if (const Imatrix* imatrix = options.imatrix) {
    if (!imatrix->datasets.empty())
      draft.set_text("quantize.imatrix.dataset", imatrix->datasets.front());
    draft.set_i32("quantize.imatrix.entries_count", static_cast<int32_t>(imatrix->entries.size()));
    if (imatrix->n_chunks)
      draft.set_i32("quantize.imatrix.chunks_count", static_cast<int32_t>(imatrix->n_chunks));
  }
  return draft;
}

Result<std::vector<quant::Choice>> choose(const WeightFile& source, const QuantizeTarget& target,
                                          const QuantizeOptions& options) {
  if (target.fitted) return target.fitted->choices;
  if (target.mix)
    return quant::choose_formats(
        *target.mix, recipe_model(source.metadata(), options.imatrix || options.importance_follows),
        recipe_tensors(source), options.overrides);
  std::vector<quant::Choice> choices;
  for (const TensorView& t : source.tensors())
    choices.push_back({t.format, t.format, quant::Cause::kKept});
  return choices;
}

Result<QuantizePlan> plan_one(const WeightFile& source, const QuantizeTarget& target,
                              const QuantizeOptions& options) {
  QuantizePlan plan;
  plan.target = target;
  NIBBLE_TRY(plan.choices, choose(source, target, options));
  for (size_t i = 0; i < plan.choices.size(); ++i) {
    const TensorView& t = source.tensors()[i];
    NIBBLE_CHECK(check_choice(t, plan.choices[i], options));
    NIBBLE_CHECK(check_importance(t, plan.choices[i], options));
    plan.tensors.push_back({std::string(t.name), plan.choices[i].used, t.shape});
  }
  plan.metadata = metadata_of(source, target, options);
  plan.shards =
      gguf::lay_out({target.path, plan.metadata.entries(), plan.tensors, options.max_shard_bytes});
  if (plan.shards.size() > gguf::kMaxFiles)
    return fail(ErrorKind::kUsage, "--max-shard makes {} files, of which {} can be read",
                plan.shards.size(), gguf::kMaxFiles);
  return plan;
}

}  // namespace

std::string_view QuantizeTarget::type() const {
  if (mix) return mix->name;
  return fitted ? std::string_view(fitted->recipe) : "as stored";
}

uint64_t QuantizePlan::n_bytes() const {
  uint64_t n = 0;
  for (const gguf::Shard& shard : shards) n += shard.n_bytes;
  return n;
}

double QuantizePlan::bpw() const {
  double n_bytes = 0, n_weights = 0;
  for (const auto& t : tensors) {
    n_bytes += static_cast<double>(t.n_bytes());
    n_weights += static_cast<double>(t.shape.n_elements());
  }
  return n_weights > 0 ? 8 * n_bytes / n_weights : 0;
}

Result<std::vector<QuantizePlan>> plan_quantize(const WeightFile& source,
                                                const QuantizeOptions& options) {
  NIBBLE_CHECK(check_importance_sizes(source, options.imatrix));
  std::vector<QuantizePlan> plans;
  for (const QuantizeTarget& target : options.targets) {
    NIBBLE_TRY(QuantizePlan plan, plan_one(source, target, options));
    plans.push_back(std::move(plan));
  }
  return plans;
}

Coverage coverage_of(const QuantizePlan& plan, const Imatrix& imatrix) {
  Coverage c;
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.choices[i].cause == quant::Cause::kKept || !is_quantized(*plan.choices[i].used))
      continue;
    const gguf::TensorPlan& t = plan.tensors[i];
    ++c.n_tensors;
    const auto found = imatrix.entries.find(t.name);
    if (found == imatrix.entries.end()) {
      c.without_data.push_back(t.name);
      continue;
    }
    const auto& counts = found->second.counts;
    if (n_matrices(t.shape) == 1) continue;
    c.n_experts += n_matrices(t.shape);
    c.n_experts_seen += std::ranges::count_if(counts, [](float n) { return n > 0; });
  }
  return c;
}

}  // namespace nibble
