// The mixes against what llama-quantize decides for the same models.
#include "quant/recipe.h"

#include <doctest/doctest.h>

#include <map>

using namespace nibble;

namespace {

struct Model {
  std::vector<std::string> names;
  std::vector<quant::RecipeTensor> tensors;
  quant::RecipeModel facts;

  Model(int n_layer, int n_head, int n_head_kv, int64_t n_embd, int n_expert = 0) {
    facts = {"llama", n_layer, n_head, n_head_kv, n_expert};
    const std::string ffn = n_expert ? "_exps" : "";
    names = {"token_embd.weight", "output_norm.weight"};
    for (int i = 0; i < n_layer; ++i)
      for (const std::string part : {"attn_norm", "attn_q", "attn_k", "attn_v", "attn_output",
                                     "ffn_gate_inp", "ffn_gate", "ffn_up", "ffn_down"})
        names.push_back(fmt::format("blk.{}.{}{}.weight", i, part,
                                    part.starts_with("ffn") && part != "ffn_gate_inp" ? ffn : ""));
    for (const auto& name : names)
      tensors.push_back({name, name.contains("norm") ? 1 : 2, n_embd,
                         name.contains("exps") ? n_expert : 1, quant::find_format("f16")});
  }
  void add(const std::string& name, int64_t n_cols) {
    names.push_back(name);
    tensors.push_back({name, 2, n_cols, 1, quant::find_format("f16")});
    for (size_t i = 0; i < names.size(); ++i) tensors[i].name = names[i];
  }
  // [format] -> how many tensors of a part ("" for all)
  std::map<std::string_view, int> count(std::string_view mix, std::string_view part = "",
                                        std::span<const quant::Override> overrides = {}) const {
    const auto choices = quant::choose_formats(*quant::find_mix(mix), facts, tensors, overrides);
    REQUIRE(choices.has_value());
    std::map<std::string_view, int> counts;
    for (size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i].name.contains(part)) ++counts[(*choices)[i].used->name];
    return counts;
  }
};
using Counts = std::map<std::string_view, int>;

}  // namespace

TEST_CASE("q4_k_m: more bits for the first and last eighth and every third between") {
  const Model model(32, 32, 8, 4096);
  CHECK(model.count("q4_k_m", "attn_v") == Counts{{"q4_k", 16}, {"q6_k", 16}});
  CHECK(model.count("q4_k_m", "ffn_down") == Counts{{"q4_k", 16}, {"q6_k", 16}});
  CHECK(model.count("q4_k_m", "attn_q") == Counts{{"q4_k", 32}});
  CHECK(model.count("q4_k_m", "token_embd") == Counts{{"q6_k", 1}});
  CHECK(model.count("q4_k_m", "norm") == Counts{{"f16", 33}});
  CHECK(model.count("q4_k_m", "ffn_gate_inp") == Counts{{"f16", 32}});
}

TEST_CASE("an untied embedding takes the mix's format, the output matrix q6_k") {
  Model model(4, 8, 8, 512);
  model.add("output.weight", 512);
  CHECK(model.count("q4_k_m", "token_embd") == Counts{{"q4_k", 1}});
  CHECK(model.count("q4_k_m", "output.weight") == Counts{{"q4_k", 4}, {"q6_k", 1}});
  CHECK(model.count("q8_0", "token_embd") == Counts{{"q8_0", 1}});
}

TEST_CASE("rows that no block of 256 divides fall back, and the ledger knows") {
  const Model model(30, 9, 3, 576);
  CHECK(model.count("q4_k_m", "attn_q") == Counts{{"q5_0", 30}});
  CHECK(model.count("q4_k_m", "token_embd") == Counts{{"q8_0", 1}});
  CHECK(model.count("q5_k_m", "ffn_up") == Counts{{"q5_1", 30}});
  CHECK(model.count("q3_k_s", "ffn_up") == Counts{{"iq4_nl", 30}});
  const auto choices =
      quant::choose_formats(*quant::find_mix("q4_k_m"), model.facts, model.tensors, {});
  REQUIRE(choices.has_value());
  for (const auto& c : *choices) CHECK(c.fell_back() == (c.cause != quant::Cause::kKept));
}

TEST_CASE("mixtures of experts") {
  const Model model(32, 32, 8, 4096, 8);
  CHECK(model.count("q4_k_m", "attn_v") == Counts{{"q8_0", 32}});
  CHECK(model.count("q4_k_m", "attn_k") == Counts{{"q8_0", 32}});
  CHECK(model.count("q4_k_m", "attn_output") == Counts{{"q5_k", 32}});
  CHECK(model.count("q4_k_m", "ffn_down_exps") == Counts{{"q4_k", 16}, {"q6_k", 16}});
}

TEST_CASE("the seventy-billion class raises its values") {
  const Model model(80, 64, 8, 8192);
  CHECK(model.count("q4_k_m", "attn_v") == Counts{{"q5_k", 40}, {"q6_k", 40}});
  CHECK(model.count("q4_k_s", "attn_v") == Counts{{"q5_k", 80}});
}

TEST_CASE("q4_0 raises values that three query heads share, unless importance guides it") {
  Model model(30, 9, 3, 576);
  CHECK(model.count("q4_0", "attn_v") == Counts{{"q5_0", 30}});
  CHECK(model.count("q4_0", "attn_k") == Counts{{"q4_0", 30}});
  CHECK(Model(32, 32, 32, 4096).count("q4_0", "attn_v") == Counts{{"q4_0", 32}});
  model.add("blk.30.attn_qkv.weight", 576);
  CHECK(model.count("q4_0", "attn_qkv") == Counts{{"q4_0", 1}});
  model.facts.has_imatrix = true;
  CHECK(model.count("q4_0", "attn_v") == Counts{{"q4_0", 30}});
}

TEST_CASE("overrides: the first that matches counts, one that matches nothing is refused") {
  const Model model(12, 8, 8, 512);
  const auto* q8 = quant::find_format("q8_0");
  const auto* q5 = quant::find_format("q5_0");
  const std::vector<quant::Override> overrides{{R"(blk\.1\.attn_q)", q8}, {"attn_q", q5}};
  CHECK(model.count("q4_0", "attn_q", overrides) == Counts{{"q5_0", 11}, {"q8_0", 1}});
  CHECK(model.count("q4_0", "attn_k", overrides) == Counts{{"q4_0", 12}});
  for (const char* pattern : {"typo", "attn_norm", "("}) {
    const std::vector<quant::Override> wrong{{pattern, q8}};
    const auto refused =
        quant::choose_formats(*quant::find_mix("q4_0"), model.facts, model.tensors, wrong);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().kind == ErrorKind::kUsage);
  }
}

TEST_CASE("names of mixes: case is ignored, short names are understood") {
  CHECK(quant::find_mix("Q4_K_M") == quant::find_mix("q4"));
  CHECK(quant::find_mix("q4_k_m")->file_type == 15);
  CHECK(quant::find_mix("q9") == nullptr);
}
