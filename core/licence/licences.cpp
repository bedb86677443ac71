#include "core/licence/licences.h"

#include <algorithm>

namespace nibble {
namespace {

using enum CommercialUse;

// One row a licence. Each was checked against the licence's text or, where `terms` says so, against
// what others report.
constexpr Licence kLicences[] = {
    {"llama1", "LLaMA License Agreement", "", kNo,
     "research only; no commercial or production use of weights or outputs; copies carry licence "
     "and notice",
     "", "llama|llama-license"},
    {"llama2", "Llama 2 Community License", "", kWithConditions,
     "above 700 million monthly users Meta must agree; outputs must not train other language "
     "models; "
     "copies carry licence and Notice file; use policy",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama2/LICENSE", "llama-2"},
    {"llama3", "Meta Llama 3 Community License", "", kWithConditions,
     "above 700 million monthly users Meta must agree; outputs must not train other language "
     "models; show 'Built "
     "with Meta Llama 3'; derived names begin with 'Llama 3'; copies carry licence and Notice "
     "file; use policy",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama3/LICENSE", "llama-3"},
    {"llama3.1", "Llama 3.1 Community License", "", kWithConditions,
     "above 700 million monthly users Meta must agree; show 'Built with Llama'; derived names "
     "begin with 'Llama'; "
     "copies carry licence and Notice file; use policy",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama3_1/LICENSE", "llama-3.1"},
    {"llama3.2", "Llama 3.2 Community License", "", kWithConditions,
     "as Llama 3.1; the multimodal models give no rights to parties based in the EU",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama3_2/LICENSE", "llama-3.2"},
    {"llama3.3", "Llama 3.3 Community License", "", kWithConditions, "as Llama 3.1",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama3_3/LICENSE", "llama-3.3"},
    {"llama4", "Llama 4 Community License", "", kWithConditions,
     "as Llama 3.1; the multimodal models give no rights to parties based in the EU",
     "https://github.com/meta-llama/llama-models/blob/main/models/llama4/LICENSE", "llama-4"},
    {"gemma", "Gemma Terms of Use", "", kWithConditions,
     "use restrictions bind everyone downstream and must be passed on; a model trained on outputs "
     "to act alike "
     "counts as derived; copies carry the terms, a Notice file and a mark of changes",
     "https://ai.google.dev/gemma/terms",
     "gemma-terms|gemma-terms-of-use|google-gemma-terms-of-use"},
    {"apache-2.0", "Apache License 2.0", "Apache-2.0", kYes,
     "copies carry the licence, its notices and a mark of changes",
     "https://www.apache.org/licenses/LICENSE-2.0", "apache2|apache"},
    {"mit", "MIT License", "MIT", kYes, "copies carry the copyright and permission notice",
     "https://opensource.org/license/mit", ""},
    {"mnpl", "Mistral AI Non-Production License 0.1", "", kNo,
     "testing, research and personal use outside of production only (read in part)",
     "https://mistral.ai/licenses/MNPL-0.1.md", "mnpl-0.1"},
    {"mrl", "Mistral AI Research License 0.1", "", kNo,
     "research and non-commercial use only, outputs too; companies must not distribute it",
     "https://mistral.ai/licenses/MRL-0.1.md", "mrl-0.1|mistral-ai-research-license"},
    {"falcon-180b", "Falcon 180B TII License 1.0", "", kWithConditions,
     "no shared hosting or API service without permission; the use policy binds downstream",
     "https://huggingface.co/spaces/tiiuae/falcon-180b-license",
     "falcon-180b-license|falcon-180b-tii-license"},
    {"falcon-2-11b", "Falcon 2 11B TII License 1.0", "", kWithConditions,
     "near to Apache 2.0; the use policy binds downstream; publicity names the source",
     "https://falconllm-staging.tii.ae/falcon-2-terms-and-conditions.html", "falcon-2-11b-1.0"},
    {"falcon-llm-license", "TII Falcon-LLM License 2.0", "", kWithConditions,
     "probably as Falcon 2 11B (its text was not seen)",
     "https://falconllm.tii.ae/falcon-terms-and-conditions.html", "tii-falcon-license-2.0"},
    {"deepseek", "DeepSeek License Agreement 1.0", "", kWithConditions,
     "use restrictions (no military use) bind downstream; a distilled model counts as derived; "
     "copies carry licence "
     "and a mark of changes",
     "https://github.com/deepseek-ai/DeepSeek-LLM/blob/main/LICENSE-MODEL", "deepseek-license"},
    {"tongyi-qianwen", "Tongyi Qianwen License Agreement", "", kWithConditions,
     "above 100 million monthly users permission is needed; outputs must not train other language "
     "models; copies "
     "carry licence, Notice and a mark of changes",
     "https://github.com/QwenLM/Qwen", "tongyi-qianwen-license-agreement|qwen-72b-licence"},
    {"tongyi-qianwen-research", "Tongyi Qianwen Research License Agreement", "", kNo,
     "research and evaluation only; outputs must not train other language models",
     "https://github.com/QwenLM/Qwen", ""},
    {"qwen", "Qwen License Agreement", "", kWithConditions,
     "above 100 million monthly users permission is needed; models made with it say 'Built with "
     "Qwen'; copies carry "
     "licence, Notice and a mark of changes",
     "https://huggingface.co/Qwen/Qwen2.5-72B/blob/main/LICENSE", "qwen-license"},
    {"qwen-research", "Qwen Research License Agreement", "", kNo,
     "research and evaluation only; models made with it say 'Built with Qwen'",
     "https://huggingface.co/Qwen/Qwen2.5-3B/blob/main/LICENSE", ""},
    {"bigcode-openrail-m", "BigCode OpenRAIL-M v1", "", kWithConditions,
     "use restrictions bind downstream; copies carry licence and model card",
     "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement", ""},
    {"bigscience-bloom-rail-1.0", "BigScience RAIL License 1.0", "", kWithConditions,
     "use restrictions bind downstream; a distilled model counts as derived",
     "https://huggingface.co/spaces/bigscience/license", ""},
    {"yi-license", "Yi Series Models Community License 2.1", "", kWithConditions,
     "old copies only; Yi has been under Apache 2.0 since 2024-05-30",
     "https://github.com/01-ai/Yi", ""},
    {"cc-by-nc-4.0", "Creative Commons Attribution-NonCommercial 4.0", "CC-BY-NC-4.0", kNo,
     "credit, link and a mark of changes; Cohere's models add a use policy that this value does "
     "not show",
     "https://creativecommons.org/licenses/by-nc/4.0/", "c4ai-cc-by-nc"},
    {"cc0-1.0", "Creative Commons Zero 1.0", "CC0-1.0", kYes,
     "no conditions; trademark and patent rights are not waived",
     "https://creativecommons.org/publicdomain/zero/1.0/", "publicdomain"},
    {"openmdw-1.0", "OpenMDW License Agreement 1.0", "OpenMDW-1.0", kYes,
     "copies carry licence and notices of origin", "https://openmdw.ai/license/1-0/", ""},
};

struct FamilyTerms {
  std::string_view architecture, terms;
};
// Architecture names that only models with known terms carry. "llama" says nothing: many makers use
// it.
constexpr FamilyTerms kFamilyTerms[] = {
    {"gemma", "Gemma Terms of Use"},
    {"gemma2", "Gemma Terms of Use"},
    {"gemma3", "Gemma Terms of Use"},
    {"gemma3n", "Gemma Terms of Use"},
    {"gemma4", "Apache License 2.0"},
    {"llama4", "Llama 4 Community License"},
    {"falcon-h1", "TII Falcon-LLM License 2.0"},
    {"command-r", "Creative Commons Attribution-NonCommercial 4.0 with a use policy"},
};

std::string normalized(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '_' && c != '-')
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool has_alias(std::string_view aliases, const std::string& wanted) {
  while (!aliases.empty()) {
    const size_t bar = std::min(aliases.find('|'), aliases.size());
    if (normalized(aliases.substr(0, bar)) == wanted) return true;
    aliases.remove_prefix(std::min(bar + 1, aliases.size()));
  }
  return false;
}

}  // namespace

std::string_view to_string(CommercialUse use) {
  constexpr std::string_view kNames[] = {"yes", "with conditions", "no", "unknown"};
  return kNames[static_cast<size_t>(use)];
}

std::span<const Licence> licences() { return kLicences; }

const Licence* find_licence(std::string_view value) {
  const std::string wanted = normalized(value);
  if (wanted.empty()) return nullptr;
  for (const Licence& row : kLicences)
    if (normalized(row.id) == wanted || normalized(row.name) == wanted ||
        has_alias(row.aliases, wanted))
      return &row;
  return nullptr;
}

Result<DeclaredLicence> declared_licence(const Metadata& metadata) {
  DeclaredLicence out;
  const auto read = [&](std::string_view key, std::string& value) -> Result<void> {
    NIBBLE_TRY(const auto text, metadata.get_string(key));
    if (text) value = *text;
    return {};
  };
  NIBBLE_CHECK(read("general.license", out.value));
  NIBBLE_CHECK(read("general.license.name", out.name));
  NIBBLE_CHECK(read("general.license.link", out.link));
  out.known = find_licence(out.value);
  if (!out.known) out.known = find_licence(out.name);
  std::string architecture;
  NIBBLE_CHECK(read("general.architecture", architecture));
  if (out.value.empty() && out.name.empty())
    for (const FamilyTerms& row : kFamilyTerms)
      if (row.architecture == architecture) out.family_terms = row.terms;
  return out;
}

}  // namespace nibble
