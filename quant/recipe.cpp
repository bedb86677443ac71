#include "quant/recipe.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <regex>

#include "core/base/printable.h"
#include "quant/encoder.h"
#include "quant/recipe_rules.h"

namespace nibble::quant {
namespace {

constexpr Mix kMixes[] = {
    {"f32", "f32", 0},          {"f16", "f16", 1},        {"bf16", "bf16", 32},
    {"q8_0", "q8_0", 7},        {"q6_k", "q6_k", 18},     {"q5_k_m", "q5_k", 17},
    {"q5_k_s", "q5_k", 16},     {"q5_1", "q5_1", 9},      {"q5_0", "q5_0", 8},
    {"q4_k_m", "q4_k", 15},     {"q4_k_s", "q4_k", 14},   {"q4_1", "q4_1", 3},
    {"q4_0", "q4_0", 2},        {"iq4_nl", "iq4_nl", 25}, {"iq4_xs", "iq4_xs", 30},
    {"q3_k_l", "q3_k", 13},     {"q3_k_m", "q3_k", 12},   {"q3_k_s", "q3_k", 11},
    {"iq3_m", "iq3_s", 27},     {"iq3_s", "iq3_s", 26},   {"iq3_xs", "iq3_s", 22},
    {"iq3_xxs", "iq3_xxs", 23}, {"q2_k", "q2_k", 10},     {"q2_k_s", "q2_k", 21},
    {"iq2_m", "iq2_s", 29},     {"iq2_s", "iq2_xs", 28},  {"iq2_xs", "iq2_xs", 20},
    {"iq2_xxs", "iq2_xxs", 19}, {"iq1_m", "iq1_m", 31},   {"iq1_s", "iq1_s", 24},
    {"tq1_0", "tq1_0", 36},     {"tq2_0", "tq2_0", 37},   {"mxfp4_moe", "q8_0", 38},
};

struct ShortName {
  std::string_view name, mix;
};
constexpr ShortName kShortNames[] = {
    {"q8", "q8_0"},     {"q6", "q6_k"},         {"q5", "q5_k_m"},   {"q4", "q4_k_m"},
    {"q3", "q3_k_m"},   {"q2", "q2_k"},         {"q5_k", "q5_k_m"}, {"q4_k", "q4_k_m"},
    {"q3_k", "q3_k_m"}, {"mxfp4", "mxfp4_moe"},
};

// What takes the place of a format whose block does not divide a row: of those with blocks of 32
// the one that loses least for the bytes that llama.cpp spends there. Root mean square error on
// rows of a real model's feed-forward matrices over that of the weights, without importance:
//   bits  4.5 q4_0 0.0847, iq4_nl 0.0754   5.0 q4_1 0.0719   5.5 q5_0 0.0419   6.0 q5_1 0.0347
struct Fallback {
  std::string_view format, instead;
};
constexpr Fallback kFallbacks[] = {
    {"q2_k", "iq4_nl"},    {"q3_k", "iq4_nl"},    {"tq1_0", "iq4_nl"},  {"tq2_0", "iq4_nl"},
    {"q4_k", "q5_0"},      {"q5_k", "q5_1"},      {"q6_k", "q8_0"},     {"iq1_s", "iq4_nl"},
    {"iq1_m", "iq4_nl"},   {"iq2_xxs", "iq4_nl"}, {"iq2_xs", "iq4_nl"}, {"iq2_s", "iq4_nl"},
    {"iq3_xxs", "iq4_nl"}, {"iq3_s", "iq4_nl"},   {"iq4_xs", "iq4_nl"},
};

bool is_float(const Format& f) { return f.block_len == 1; }

// Small tensors whose precision matters more than their size, whatever their rank.
bool is_weights(const RecipeTensor& t) {
  static constexpr std::string_view kKept[] = {
      "_norm.weight",        "ffn_gate_inp", "position_embd", "token_types", "ssm_conv1d",
      "shortconv.conv",      "altup",        "laurel",        "time_mix_",   "attn_rel_b",
      "per_layer_model_proj"};
  return t.n_dims >= 2 && t.name.ends_with("weight") &&
         std::ranges::none_of(kKept, [&](auto part) { return t.name.contains(part); });
}

// asked, or what takes its place for rows of n_cols.
const Format* fitting(const Format* asked, int64_t n_cols) {
  if (n_cols % asked->block_len == 0) return asked;
  const auto at = std::ranges::find(kFallbacks, asked->name, &Fallback::format);
  const Format* instead = at != std::end(kFallbacks) ? find_format(at->instead) : nullptr;
  return instead && n_cols % instead->block_len == 0 ? instead : find_format("f16");
}

Result<const Format*> need_format(std::string_view name, const Mix& mix) {
  const Format* format = find_format(name);
  if (!format || (!is_float(*format) && !find_encoder(*format)))
    return unsupported("{} needs the format {}, which cannot be written", mix.name, name);
  return format;
}

// An override with its expression compiled, and how many tensors it found.
struct Pattern {
  std::regex expression;
  const Format* format;
  int n_kept = 0, n_weights = 0;
};

Result<Pattern> compile(const Override& given) {
  try {
    return Pattern{std::regex(given.pattern, std::regex::ECMAScript | std::regex::optimize),
                   given.format};
  } catch (const std::regex_error& error) {
    return fail(ErrorKind::kUsage, "--tensor {}: no regular expression: {}",
                in_quotes(given.pattern), error.what());
  }
}

// The first pattern that the name matches; all that match are counted.
const Format* first_match(std::span<Pattern> patterns, const RecipeTensor& tensor, bool weights) {
  const Format* found = nullptr;
  for (Pattern& p : patterns) {
    if (!std::regex_search(tensor.name.begin(), tensor.name.end(), p.expression)) continue;
    ++(weights ? p.n_weights : p.n_kept);
    if (!found) found = p.format;
  }
  return found;
}

Result<void> check_all_matched(std::span<const Override> overrides,
                               std::span<const Pattern> patterns) {
  for (size_t i = 0; i < patterns.size(); ++i)
    if (patterns[i].n_weights == 0)
      return fail(ErrorKind::kUsage, "--tensor {}: matches no tensor that is quantized{}",
                  in_quotes(overrides[i].pattern),
                  patterns[i].n_kept
                      ? fmt::format(" ({} that are kept as they are)", patterns[i].n_kept)
                      : "");
  return {};
}

Result<Choice> by_mix(const Mix& mix, const RuleInput& in) {
  Choice choice;
  const auto rule = rule_for(mix.name, in);
  choice.cause = rule ? Cause::kRule : Cause::kMix;
  NIBBLE_TRY(choice.asked, need_format(rule.value_or(mix.format), mix));
  choice.used = fitting(choice.asked, in.tensor.n_cols);
  // an output matrix is worth more than what the formats of a mix fall back to
  const Format* base = find_format(mix.format);
  if (in.place.kind == TensorKind::kOutput && base && in.tensor.n_cols % base->block_len != 0 &&
      in.tensor.n_cols % 32 == 0) {
    choice.used = find_format("q8_0");
  }
  return choice;
}

}  // namespace

std::span<const Mix> mixes() { return kMixes; }

const Mix* find_mix(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto by_name = [](std::string_view wanted) {
    const auto at = std::ranges::find(kMixes, wanted, &Mix::name);
    return at == std::end(kMixes) ? nullptr : &*at;
  };
  const auto alias = std::ranges::find(kShortNames, lower, &ShortName::name);
  return by_name(alias == std::end(kShortNames) ? std::string_view(lower) : alias->mix);
}

bool can_write(const Mix& mix) {
  if (!need_format(mix.format, mix)) return false;
  return std::ranges::all_of(formats_of_rules(mix.name),
                             [&](auto name) { return need_format(name, mix).has_value(); });
}

bool needs_importance(const Mix& mix) {
  const Encoder* encoder = find_encoder(*find_format(mix.format));
  return encoder && encoder->needs_importance;
}

Result<std::vector<Choice>> choose_formats(const Mix& mix, const RecipeModel& model,
                                           std::span<const RecipeTensor> tensors,
                                           std::span<const Override> overrides) {
  std::vector<Pattern> patterns;
  for (const Override& given : overrides) {
    NIBBLE_TRY(Pattern compiled, compile(given));
    patterns.push_back(std::move(compiled));
  }
  NIBBLE_TRY(const Format* base, need_format(mix.format, mix));
  const std::vector<Place> places = find_places(model, tensors);
  std::vector<Choice> choices(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const RecipeTensor& t = tensors[i];
    Choice& choice = choices[i];
    const bool weights = is_weights(t);
    const Format* given = first_match(patterns, t, weights);
    if (!weights)
      choice = {t.source, t.source, Cause::kKept};
    else if (given)
      choice = {given, fitting(given, t.n_cols), Cause::kOverride};
    else if (is_float(*base))
      choice = {base, base, Cause::kMix};
    else {
      NIBBLE_TRY(choice, by_mix(mix, {model, t, places[i]}));
    }
  }
  NIBBLE_CHECK(check_all_matched(overrides, patterns));
  return choices;
}

}  // namespace nibble::quant
