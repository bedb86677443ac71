// The table is to be read downwards: the first row that fits decides. Source of the rules:
// llama.cpp, src/llama-quant.cpp.
#include "quant/recipe_rules.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <tuple>

namespace nibble::quant {
namespace {

// Conditions.
using Input = const RuleInput&;
bool always(Input) { return true; }
bool falcon(Input in) { return in.model.architecture == "falcon"; }
bool not_falcon(Input in) { return !falcon(in); }
bool experts8(Input in) { return in.model.n_expert == 8; }
bool stacked(Input in) { return in.tensor.n_matrices > 1; }
// Values on their own, a thirtieth of the weights or less: three query heads or more for one key.
bool values_of3_no_imatrix(Input in) {
  return !in.model.has_imatrix && in.tensor.name.ends_with("attn_v.weight") &&
         in.model.n_head_kv > 0 && in.model.n_head / in.model.n_head_kv >= 3;
}
bool grouped4(Input in) {  // four query heads or more for one key
  return in.model.n_head_kv > 0 && in.model.n_head / in.model.n_head_kv >= 4;
}
bool grouped4_or_experts4(Input in) { return grouped4(in) || in.model.n_expert >= 4; }
bool grouped_80_layers(Input in) {
  return in.model.n_layer == 80 && in.model.n_head != in.model.n_head_kv;
}
bool imatrix(Input in) { return in.model.has_imatrix; }
bool no_imatrix(Input in) { return !in.model.has_imatrix; }
bool first_two(Input in) { return in.place.i < 2; }
bool first_four(Input in) { return in.place.i < 4; }
bool first_sixteenth(Input in) { return in.place.i < in.place.n / 16; }
bool first_eighth(Input in) { return in.place.i < in.place.n / 8; }
bool middle(Input in) { return !first_eighth(in) && in.place.i < 7 * in.place.n / 8; }
// The first and the last eighth, and every third of what is between.
bool more_bits(Input in) {
  const int i = in.place.i, n = in.place.n;
  return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
}
bool falcon_sixteenth(Input in) { return falcon(in) && first_sixteenth(in); }
bool falcon_more(Input in) { return falcon(in) && more_bits(in); }
bool more_not_falcon(Input in) { return !falcon(in) && more_bits(in); }
bool eighth_not_falcon(Input in) { return !falcon(in) && first_eighth(in); }
bool eighth_imatrix(Input in) { return imatrix(in) && first_eighth(in); }
bool eighth_no_imatrix(Input in) { return no_imatrix(in) && first_eighth(in); }
bool eighth_or_more_of_experts8(Input in) {
  return first_eighth(in) || (experts8(in) && more_bits(in));
}
bool experts8_not_falcon(Input in) { return experts8(in) && !falcon(in); }
bool grouped4_80_layers(Input in) { return grouped4(in) && grouped_80_layers(in); }
bool less_bits_80_layers(Input in) { return grouped_80_layers(in) && !more_bits(in); }

// Groups of mixes; " name " is looked for.
constexpr std::string_view kAll = "";
constexpr std::string_view kIq1 = " iq1_s iq1_m ";
constexpr std::string_view kIq2Small = " iq1_s iq1_m iq2_xxs iq2_xs ";
constexpr std::string_view kIq2Large = " iq2_s iq2_m ";
constexpr std::string_view kIq12 = " iq1_s iq1_m iq2_xxs iq2_xs iq2_s iq2_m ";
constexpr std::string_view kLow = " iq1_s iq1_m iq2_xxs iq2_xs iq2_s iq2_m iq3_xxs ";
constexpr std::string_view kIq4 = " iq4_nl iq4_xs ";
constexpr std::string_view kUpTo4 =
    " q2_k iq3_xs iq3_xxs iq3_s iq3_m q3_k_s q3_k_m iq4_nl iq4_xs q4_k_s q4_k_m ";

struct Rule {
  TensorKind kind;
  std::string_view mixes;
  bool (*when)(Input);
  std::string_view format;  // empty: the mix's own
};
using enum TensorKind;

constexpr Rule kRules[] = {
    // the output matrix
    {kOutput, " mxfp4_moe q8_0 ", always, "q8_0"},
    {kOutput, kAll, falcon, "q8_0"},
    {kOutput, kLow, always, "q5_k"},
    {kOutput, kAll, always, "q6_k"},
    // everything else of a mixture of experts in MXFP4
    {kOther, " mxfp4_moe ", stacked, "mxfp4"},
    {kFfnDown, " mxfp4_moe ", stacked, "mxfp4"},
    {kFfnGate, " mxfp4_moe ", stacked, "mxfp4"},
    {kFfnUp, " mxfp4_moe ", stacked, "mxfp4"},
    // the embedding
    {kEmbedding, kIq2Small, always, "q2_k"},
    {kEmbedding, " iq2_s iq2_m iq3_xxs ", always, "iq3_s"},
    {kEmbedding, " tq1_0 tq2_0 ", always, "q4_k"},
    // values
    {kV, kIq12, grouped4_or_experts4, "q4_k"},
    {kV, kIq2Large, always, "iq3_s"},
    {kV, kIq2Small, always, "q2_k"},
    {kV, " mxfp4_moe ", always, ""},
    {kV, kAll, experts8, "q8_0"},
    {kV, " q2_k q2_k_s iq3_xs iq3_s iq3_xxs ", grouped4_80_layers, "q5_k"},
    {kV, " iq3_m q3_k_m q3_k_l q3_k_s q4_k_s ", grouped_80_layers, "q5_k"},
    {kV, " q4_k_m ", less_bits_80_layers, "q5_k"},
    {kV, " q2_k q2_k_s iq3_xs iq3_s iq3_xxs ", grouped4, "q4_k"},
    {kV, " q2_k ", grouped_80_layers, "q5_k"},
    {kV, " q2_k ", always, "q3_k"},
    {kV, " iq3_xxs ", no_imatrix, "iq3_s"},
    {kV, " iq3_m ", always, "q4_k"},
    {kV, " q3_k_m ", first_two, "q5_k"},
    {kV, " q3_k_m ", always, "q4_k"},
    {kV, " q3_k_l ", always, "q5_k"},
    {kV, kIq4, grouped4, "q5_k"},
    // not llama.cpp's rule: of SmolLM2-135M's KL in Q4_0 the values bring most; 0.343 instead of
    // 0.493 for 0.4 % more bytes
    {kV, " q4_0 ", values_of3_no_imatrix, "q5_0"},
    {kV, " q4_k_m q5_k_m ", more_bits, "q6_k"},
    {kV, " q4_k_s ", first_four, "q5_k"},
    // keys and queries
    {kK, kIq12, experts8, "q4_k"},
    {kK, kIq12, always, ""},
    {kK, " mxfp4_moe ", always, ""},
    {kK, kAll, experts8, "q8_0"},
    {kK, " iq3_xs ", always, "iq3_xxs"},
    {kK, " iq3_xxs ", always, "iq2_s"},
    {kQ, " iq3_xs ", always, "iq3_xxs"},
    {kQ, " iq3_xxs ", always, "iq2_s"},
    // the way down
    {kFfnDown, kIq2Large, first_eighth, "iq3_s"},
    {kFfnDown, kIq2Small, first_eighth, "q2_k"},
    {kFfnDown, " q2_k ", always, "q3_k"},
    {kFfnDown, " q2_k_s ", first_eighth, "q4_k"},
    {kFfnDown, " iq3_xxs ", eighth_no_imatrix, "q4_k"},
    {kFfnDown, " iq3_xxs ", no_imatrix, "q3_k"},
    {kFfnDown, " q3_k_m ", first_sixteenth, "q5_k"},
    {kFfnDown, " q3_k_m ", not_falcon, "q4_k"},
    {kFfnDown, " q3_k_m ", falcon_more, "q4_k"},
    {kFfnDown, " iq3_m ", eighth_or_more_of_experts8, "q4_k"},
    {kFfnDown, " q3_k_l ", falcon, "q4_k"},
    {kFfnDown, " q3_k_l ", always, "q5_k"},
    {kFfnDown, " q4_k_m ", falcon_sixteenth, "q6_k"},
    {kFfnDown, " q4_k_m ", falcon_more, "q5_k"},
    {kFfnDown, " q4_k_m ", more_not_falcon, "q6_k"},
    {kFfnDown, kIq4, eighth_no_imatrix, "q5_k"},
    {kFfnDown, " q5_k_m ", more_bits, "q6_k"},
    {kFfnDown, " q4_k_s ", eighth_not_falcon, "q5_k"},
    {kFfnDown, " q4_0 ", eighth_imatrix, "q4_1"},
    {kFfnDown, " q5_0 ", eighth_imatrix, "q5_1"},
    // the way out of attention
    {kAttnOutput, kIq12, experts8, "q5_k"},
    {kAttnOutput, kIq1, always, "iq2_xxs"},
    {kAttnOutput, kIq2Large, always, "iq3_s"},
    {kAttnOutput, " q3_k_l ", falcon, "q4_k"},
    {kAttnOutput, kUpTo4, experts8_not_falcon, "q5_k"},
    {kAttnOutput, kAll, experts8, ""},
    {kAttnOutput, " q2_k ", not_falcon, "q3_k"},
    {kAttnOutput, " q3_k_m iq3_m ", not_falcon, "q4_k"},
    {kAttnOutput, " q3_k_l ", not_falcon, "q5_k"},
    {kAttnOutput, " iq3_xxs ", not_falcon, "iq3_s"},
    // gate and up
    {kFfnGate, " iq3_xs ", middle, "iq3_xxs"},
    {kFfnUp, " iq3_xs ", middle, "iq3_xxs"},
};

bool names(const Rule& rule, std::string_view mix) {
  return rule.mixes.empty() || rule.mixes.contains(fmt::format(" {} ", mix));
}

TensorKind kind_of(std::string_view name, bool has_output) {
  struct Row {
    std::string_view part;
    TensorKind kind;
  };
  static constexpr Row kRows[] = {
      {"attn_v.weight", kV},  {"attn_qkv.weight", kV}, {"attn_kv_b.weight", kV},
      {"attn_k.weight", kK},  {"attn_q.weight", kQ},   {"attn_output.weight", kAttnOutput},
      {"ffn_down", kFfnDown}, {"ffn_gate", kFfnGate},  {"ffn_up", kFfnUp},
  };
  if (name == "output.weight") return kOutput;
  if (name == "token_embd.weight") return has_output ? kEmbedding : kOutput;
  for (const Row& row : kRows)
    if (name.contains(row.part)) return row.kind;
  return kOther;
}

int layer_of(std::string_view name) {  // -1: of none
  int layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

}  // namespace

std::vector<Place> find_places(const RecipeModel& model, std::span<const RecipeTensor> tensors) {
  const bool has_output = std::ranges::find(tensors, std::string_view("output.weight"),
                                            &RecipeTensor::name) != tensors.end();
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(
      order, {}, [&](size_t i) { return std::tuple(layer_of(tensors[i].name), tensors[i].name); });
  std::vector<Place> places(tensors.size());
  int count[static_cast<size_t>(kFfnUp) + 1] = {};
  for (const size_t i : order) {
    Place& place = places[i];
    place.kind = kind_of(tensors[i].name, has_output);
    place.i = count[static_cast<size_t>(place.kind)]++;
    const bool ffn = place.kind == kFfnDown || place.kind == kFfnGate || place.kind == kFfnUp;
    if (ffn && model.n_expert > 1) place.i = layer_of(tensors[i].name);
  }
  for (Place& place : places)
    place.n = place.kind == kV ? count[static_cast<size_t>(kV)] : std::max(model.n_layer, 1);
  return places;
}

std::optional<std::string_view> rule_for(std::string_view mix, const RuleInput& in) {
  for (const Rule& rule : kRules)
    if (rule.kind == in.place.kind && names(rule, mix) && rule.when(in))
      return rule.format.empty() ? std::nullopt : std::optional(rule.format);
  return std::nullopt;
}

std::vector<std::string_view> formats_of_rules(std::string_view mix) {
  std::vector<std::string_view> found;
  for (const Rule& rule : kRules)
    if (names(rule, mix) && !rule.format.empty()) found.push_back(rule.format);
  return found;
}

}  // namespace nibble::quant
