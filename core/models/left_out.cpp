// See left_out.h.
#include "core/models/left_out.h"

#include <algorithm>
#include <set>

#include "core/models/tensor_source.h"

namespace nibble {
namespace {

bool is_buffer(std::string_view name) {
  constexpr std::string_view kBuffers[] = {"rotary_emb.inv_freq", "rope.freqs", ".attn.bias",
                                           ".attention.bias", ".masked_bias"};
  return std::ranges::any_of(kBuffers, [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace

std::vector<std::string_view> left_out_tensors(const WeightFile& file, const Architecture& family,
                                               const Hparams& h) {
  OwnedParts none;
  const TensorSource source(file, h, none);
  std::set<const TensorView*> used;
  for (const TensorSpec& spec : family.tensors(h)) {
    const auto found = source.find(spec);
    if (found) used.insert(found->begin(), found->end());
  }
  std::vector<std::string_view> out;
  for (const TensorView& t : file.tensors())
    if (!used.contains(&t) && !is_buffer(t.name)) out.push_back(t.name);
  return out;
}

std::vector<std::string_view> left_out_tensors(const WeightFile& file, const Model& model) {
  return left_out_tensors(file, model.architecture(), model.hparams());
}

}  // namespace nibble
