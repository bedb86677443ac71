#include "core/pipeline/convert_keys.h"

#include <algorithm>
#include <cmath>

namespace nibble {
namespace {

// Keys that nibble has and llama.cpp's files do not.
constexpr std::string_view kOwnKeys[] = {"activation",
                                         "attention.qk_norm",
                                         "attention.scale",
                                         "attention.sliding_window_pattern",
                                         "attention.temperature_floor",
                                         "attention.temperature_scale",
                                         "expert_layers",
                                         "expert_weights_norm",
                                         "moe_every_n_layers",
                                         "rope.no_rope_layers",
                                         "rope.scaling.truncate",
                                         "rope.scaling.yarn_attn_factor",
                                         "use_alibi"};
// What tensors of the file say: rope_freqs, rope_factors_long and _short, and whether there is an
// output matrix. A factor beside longrope's tensors would be applied twice.
constexpr std::string_view kLlama3Keys[] = {"rope.scaling.type", "rope.scaling.factor",
                                            "rope.scaling.low_freq_factor",
                                            "rope.scaling.high_freq_factor"};
constexpr std::string_view kLongropeKeys[] = {"rope.scaling.factor", "rope.scaling.short_factor",
                                              "rope.scaling.long_factor"};

struct FamilyKeys {
  std::string_view family;
  MetadataDraft& draft;

  std::string name(std::string_view key) const { return fmt::format("{}.{}", family, key); }
  void remove(std::span<const std::string_view> keys) {
    for (const auto key : keys) draft.remove(name(key));
  }
  void add_count(std::string_view key, int64_t value) {
    if (!draft.find(name(key))) draft.set_u32(name(key), static_cast<uint32_t>(value));
  }
};

// The scale of scores that is the default anyway counts as none; the output matrix tells of tying;
// experts in every layer are the rule; magnitudes count as far as files hold them.
Hparams comparable(Hparams h) {
  if (h.attn_scale == 1 / std::sqrt(static_cast<float>(h.d_k))) h.attn_scale = 0;
  h.tied = false;
  if (std::ranges::count(h.moe_layer, false) == 0) h.moe_layer.clear();
  for (RopeHparams* r : {&h.rope, &h.rope_swa}) r->magnitude = static_cast<float>(r->magnitude);
  return h;
}

Result<Hparams> read(const Architecture& family, const WeightFile& gguf,
                     const MetadataDraft& draft) {
  const Metadata metadata = to_metadata(draft);
  NIBBLE_TRY(Hparams h, family.read_hparams({metadata, &gguf}));
  return comparable(std::move(h));
}

}  // namespace

Metadata to_metadata(const MetadataDraft& draft) {
  Metadata out;
  for (const Metadata::Entry& entry : draft.entries()) out.add(entry);
  return out;
}

void add_family_keys(const Metadata& config, const Hparams& h, MetadataDraft& out) {
  for (const Metadata::Entry& entry : config.entries())
    if (!entry.key.starts_with("general.")) out.set(entry);
  FamilyKeys keys{h.arch, out};
  if (h.rope.scaling == RopeScaling::kLlama3) {
    keys.remove(kLlama3Keys);
    if (h.temperature_beta == 0)  // else temperatures grow from it
      out.remove(keys.name("rope.scaling.original_context_length"));
  }
  if (h.rope.scaling == RopeScaling::kLongrope) keys.remove(kLongropeKeys);
  out.remove(keys.name("tie_word_embeddings"));
  if (h.n_ff > 0) keys.add_count("feed_forward_length", h.n_ff);
  keys.add_count("attention.head_count_kv", h.n_head_kv);
  if (h.d_k != h.n_embd / h.n_head) {
    keys.add_count("attention.key_length", h.d_k);
    keys.add_count("attention.value_length", h.d_v);
  }
  if (h.rope.n_rot > 0) keys.add_count("rope.dimension_count", h.rope.n_rot);
}

Result<void> drop_needless_keys(const Architecture& family, const WeightFile& gguf,
                                MetadataDraft& out) {
  NIBBLE_TRY(const Hparams wanted, read(family, gguf, out));
  for (const auto own : kOwnKeys) {
    const std::string key = fmt::format("{}.{}", family.gguf_name, own);
    if (!out.find(key)) continue;
    MetadataDraft without = out;
    without.remove(key);
    const auto h = read(family, gguf, without);
    if (h && *h == wanted) out.remove(key);
  }
  return {};
}

}  // namespace nibble
