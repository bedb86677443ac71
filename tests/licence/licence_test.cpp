// What claims come to, as rows: the licence that is meant, what else applies, what all of it
// allows.
#include <doctest/doctest.h>

#include <set>

#include "core/licence/licences.h"

using namespace nibble;
using enum CommercialUse;

namespace {

LicenceClaims based_on(std::string_view value, std::string_view base) {
  LicenceClaims c;
  c.value = value;
  c.origins = {{"base model", std::string(base)}};
  return c;
}

std::string_view id(const Licence* licence) { return licence ? licence->id : "-"; }

}  // namespace

TEST_CASE("every row of the licence tables can be found, and refers to rows that are there") {
  std::set<std::string_view> ids;
  for (const Licence& licence : licences()) {
    INFO(licence.id);
    CHECK(ids.insert(licence.id).second);
    CHECK(find_licence(licence.id) == &licence);
    CHECK(find_licence(licence.name) == &licence);
    CHECK(!licence.terms.empty());
    CHECK(licence.url.starts_with("https://"));
  }
  CHECK(ids.size() == 30);
  for (const ModelFamily& family : model_families())
    CHECK((family.licence.empty() || ids.contains(family.licence)));
  for (const ArchitectureTerms& terms : architecture_terms()) CHECK(ids.contains(terms.licence));
  for (const MakerTerms& terms : maker_terms()) CHECK(ids.contains(terms.licence));
}

TEST_CASE("a licence is told by value, name, link or text, in this order") {
  struct Row {
    std::string_view value, name, link, id, by;
  };
  constexpr Row kRows[] = {
      {"Apache 2.0", "", "", "apache-2.0", "value"},
      {"LLAMA_3.1", "", "", "llama3.1", "value"},
      {"tii-falcon-llm", "", "", "tii-falcon-llm", "value"},
      {"other", "Qwen Research", "", "qwen-research", "name"},
      {"other", "custom", "https://mistral.ai/licences/MNPL-0.1.md", "mnpl", "link"},
      {"", "", "http://www.apache.org/licenses/LICENSE-2.0.txt", "apache-2.0", "link"},
      {"other", "", "https://www.llama.com/llama3_2/license/", "llama3.2", "link"},
      {"other", "", "https://ai.google.dev/gemma/terms", "gemma", "link"},
      {"other", "", "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE",
       "qwen-research", "link"},
      {"other", "", "https://falconllm.tii.ae/falcon-terms-and-conditions.html",
       "falcon-llm-license", "link"},
      {"LLAMA 2 COMMUNITY LICENSE\nAGREEMENT Version Release Date: July 18, 2023", "", "", "llama2",
       "text"},
      {"MIT License\n\nPermission is hereby granted, free of charge, to any person", "", "", "mit",
       "text"},
      {"Falcon 180B TII License Version 1.0\nin part based on the Apache License Version 2.0", "",
       "", "falcon-180b", "text"},
      {"a permit license", "", "", "-", ""},
      {"other", "", "", "other", "value"},
      {"mit, gemma", "", "", "gemma", "value"},
      {"mit,nobody-knows", "", "", "other", "value"}};
  for (const Row& row : kRows) {
    INFO(row.value << " " << row.name << " " << row.link);
    LicenceClaims claims;
    claims.value = row.value;
    claims.name = row.name;
    claims.link = row.link;
    const LicenceVerdict verdict = judge(claims);
    CHECK(id(verdict.known) == row.id);
    CHECK(verdict.known_by == row.by);
    CHECK(verdict.commercial == (verdict.known ? verdict.known->commercial : kUnknown));
    CHECK(!verdict.conflict());
  }
}

TEST_CASE("a base model's terms stand beside what is declared, and the strictest decide") {
  struct Row {
    std::string_view value, base, other;
    bool conflict;
    CommercialUse commercial;
  };
  constexpr Row kRows[] = {
      {"mit", "Llama 3 8B", "llama3", true, kWithConditions},
      {"mit", "meta-llama/Meta-Llama-3.1-8B", "llama3.1", true, kWithConditions},
      {"apache-2.0", "https://huggingface.co/Qwen/Qwen2.5-3B", "qwen-research", true, kNo},
      {"gemma", "huggyllama/llama-7b", "llama1", true, kNo},
      {"mit", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "llama3.3", true, kWithConditions},
      {"mit", "deepseek-ai/DeepSeek-R1", "-", false, kYes},
      {"apache-2.0", "openlm-research/open_llama_7b", "-", false, kYes},
      {"apache-2.0", "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "-", false, kYes},
      {"apache-2.0", "mistralai/Mistral-7B-v0.1", "-", false, kYes},
      {"llama3.1", "meta-llama/Llama-3.1-8B", "-", false, kWithConditions},
      {"llama3.1", "google/gemma-2-9b", "gemma", false, kWithConditions},
      {"cc-by-nc-4.0", "meta-llama/Llama-2-7b-hf", "llama2", false, kNo},
      {"other", "meta-llama/Llama-2-7b-hf", "llama2", false, kUnknown},
      {"other", "mistralai/Codestral-22B-v0.1", "mnpl", false, kNo},
      {"bsd-3-clause", "google/gemma-3-4b", "gemma", false, kUnknown}};
  for (const Row& row : kRows) {
    INFO(row.value << " on " << row.base);
    const LicenceVerdict verdict = judge(based_on(row.value, row.base));
    CHECK(id(verdict.others.empty() ? nullptr : verdict.others[0].licence) == row.other);
    CHECK(verdict.conflict() == row.conflict);
    CHECK(verdict.commercial == row.commercial);
  }
}

TEST_CASE("architecture, name and link conflict with a laxer value, never with their own") {
  LicenceClaims c;
  c.value = "mit";
  c.architecture = "gemma3";
  CHECK(judge(c).conflict());
  CHECK(judge(c).commercial == kWithConditions);
  CHECK(judge(c).others[0].from == "architecture gemma3");
  c.value = "gemma";
  CHECK(judge(c).others.empty());
  c = {};
  c.value = "apache-2.0";
  c.link = "https://mistral.ai/licences/MNPL-0.1.md";
  CHECK(judge(c).conflict());
  CHECK(judge(c).commercial == kNo);
  c = {};
  c.value = "mit";
  c.title = "DeepSeek R1 Distill Llama 8B";
  CHECK(id(judge(c).others.at(0).licence) == "llama3.1");
}

TEST_CASE("Cohere's use policy belongs to the value that its models declare") {
  LicenceClaims plain, maker, family;
  plain.value = maker.value = family.value = "CC-BY-NC-4.0";
  maker.organization = "Cohere Labs";
  family.architecture = "cohere2";
  CHECK(id(judge(plain).known) == "cc-by-nc-4.0");
  for (const LicenceClaims& claims : {maker, family, based_on("cc-by-nc-4.0", "CohereLabs/x")}) {
    CHECK(id(judge(claims).known) == "cohere-cc-by-nc-4.0");
    CHECK(judge(claims).others.empty());
  }
  maker.value = "apache-2.0";
  CHECK(judge(maker).commercial == kYes);
}

TEST_CASE("where nothing is declared only what usually applies is told") {
  for (const char* value : {"", "unknown"}) {
    LicenceClaims c;
    c.value = value;
    c.architecture = "gemma4";
    const LicenceVerdict verdict = judge(c);
    CHECK(!verdict.stated);
    REQUIRE(verdict.others.size() == 1);
    CHECK(id(verdict.others[0].licence) == "apache-2.0");
    CHECK(verdict.commercial == kUnknown);
    c.architecture = "llama";
    CHECK(judge(c).others.empty());
  }
}
