// See lora_to_gguf.h. Keys and names: llama.cpp's llama-adapter.cpp and convert_lora_to_gguf.py.
#include "core/pipeline/lora_to_gguf.h"

#include <algorithm>
#include <map>

#include "core/base/printable.h"
#include "core/models/family.h"
#include "core/models/lora.h"
#include "formats/gguf_write.h"
#include "formats/metadata_draft.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

// The changes of one tensor: one, or one for each matrix of a stack.
using Stack = std::vector<const LoraWeights::Change*>;

Result<std::map<std::string, Stack>> stacks_of(const LoraWeights& lora) {
  std::map<std::string, Stack> out;
  for (const auto& [key, change] : lora.changes()) {
    if (change.spec.fix == Fix::kKeyPart || change.spec.fix == Fix::kValuePart)
      return unsupported("tensor {}: a GGUF adapter has no place for it; merge the adapter instead",
                         in_quotes(key.first));
    out[key.first].push_back(&change);
  }
  for (const auto& [name, stack] : out) {
    const Shape& s = stack[0]->spec.shape;
    const size_t n = s.n_dims == 3 ? static_cast<size_t>(s.dim[0]) : 1;
    const auto same_rank = [&](const auto* c) {
      return c->low_rank.rank() == stack[0]->low_rank.rank();
    };
    if (stack.size() != n || !std::ranges::all_of(stack, same_rank))
      return unsupported(
          "tensor {}: {} of {} experts are changed, or with different ranks, which "
          "a GGUF adapter has no form for; merge the adapter instead",
          in_quotes(name), stack.size(), n);
  }
  return out;
}

gguf::TensorPlan plan_of(const std::string& name, const char* half, const Stack& stack,
                         const Matrix& m) {
  const auto n = static_cast<int64_t>(stack.size());
  const Shape shape = n > 1 ? Shape{3, {n, m.n_rows, m.n_cols}} : Shape{2, {m.n_rows, m.n_cols}};
  return {name + half, quant::find_format("f32"), shape};
}

// alpha such that alpha / rank is the scale of every pair; 0 (none) where there is no such one.
float common_alpha(const LoraFile& adapter) {
  const auto alpha = [](const LoraPair& p) { return p.scale * static_cast<float>(p.rank()); };
  const float first = alpha(adapter.pairs()[0]);
  const bool common =
      std::ranges::all_of(adapter.pairs(), [&](const LoraPair& p) { return alpha(p) == first; });
  return common ? first : 0;
}

MetadataDraft keys_of(const Family& family, float alpha) {
  MetadataDraft keys;
  keys.set_text("general.architecture", std::string(family.architecture->gguf_name));
  keys.set_text("general.type", "adapter");
  keys.set_text("adapter.type", "lora");
  keys.set_f32("adapter.lora.alpha", alpha);
  keys.set_u32("general.file_type", 0);
  keys.set_u32("general.quantization_version", 2);
  return keys;
}

}  // namespace

Result<LoraToGgufResult> write_gguf_adapter(const LoraFile& adapter, const WeightFile& base,
                                            const std::filesystem::path& target, bool overwrite) {
  NIBBLE_TRY(Family family, read_family(base));
  family.hparams.hf_rows = family.hparams.grouped_qkv = false;  // rows as GGUF has them
  const float alpha = common_alpha(adapter);
  const LoraInput input{.file = &adapter, .scaled = alpha == 0};
  NIBBLE_TRY(const LoraWeights lora,
             LoraWeights::bind(std::span(&input, 1), family.hparams,
                               family.architecture->tensors(family.hparams)));
  NIBBLE_TRY(const auto stacks, with_path(adapter.path(), stacks_of(lora)));
  std::vector<gguf::TensorPlan> tensors;
  for (const auto& [name, stack] : stacks) {
    tensors.push_back(plan_of(name, ".lora_a", stack, stack[0]->low_rank.a));
    tensors.push_back(plan_of(name, ".lora_b", stack, stack[0]->low_rank.b));
  }
  const MetadataDraft keys = keys_of(family, alpha);
  auto shards = gguf::lay_out({target, keys.entries(), tensors});
  const uint64_t n_bytes = shards[0].n_bytes;
  NIBBLE_TRY(auto writer, gguf::Writer::create(std::move(shards), tensors, overwrite));
  for (const auto& [name, stack] : stacks)
    for (const auto half : {&LoraWeights::Change::a, &LoraWeights::Change::b})
      for (const auto* change : stack)
        NIBBLE_CHECK(writer.write(std::as_bytes(std::span(change->*half))));
  NIBBLE_CHECK(writer.commit());
  return LoraToGgufResult{adapter.pairs().size(), n_bytes};
}

}  // namespace nibble
