// The facts, as rows. Each licence was checked against its text or, where `terms` says so, against
// what others report.
#include "core/licence/licences.h"

namespace nibble {
namespace {

using enum CommercialUse;

constexpr Licence kLicences[] = {
    {.id = "llama1",
     .name = "LLaMA License Agreement",
     .commercial = kNo,
     .terms = "research only; no commercial or production use of weights or outputs; copies carry "
              "licence and notice",
     .url = "https://docs.google.com/forms/d/e/"
            "1FAIpQLSfqNECQnMkycAp2jP4Z9TFX0cGR4uf7b_fBxjY_OjhJILlKGA/viewform",
     .aliases = "llama|llama-license",
     .phrases = "llama license agreement"},
    {.id = "llama2",
     .name = "Llama 2 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; outputs must not train other "
              "language models; copies carry licence and Notice file; use policy",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama2/LICENSE",
     .aliases = "llama-2|Llama 2 Community License Agreement",
     .phrases = "llama 2 community license|llama 2 license"},
    {.id = "llama3",
     .name = "Meta Llama 3 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; outputs must not train other "
              "language models; show 'Built with Meta Llama 3'; derived names begin with 'Llama "
              "3'; copies carry licence and Notice file; use policy",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama3/LICENSE",
     .aliases = "llama-3|Meta Llama 3 Community License Agreement",
     .phrases = "llama 3 community license|llama 3 license"},
    {.id = "llama3.1",
     .name = "Llama 3.1 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; show 'Built with Llama'; derived "
              "names, of models trained on outputs too, begin with 'Llama'; copies carry licence "
              "and Notice file; use policy",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama3_1/LICENSE",
     .aliases = "llama-3.1|Llama 3.1 Community License Agreement",
     .phrases = "llama 3.1 community license|llama 3.1 license|llama 3 1 license"},
    {.id = "llama3.2",
     .name = "Llama 3.2 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; show 'Built with Llama'; derived "
              "names, of models trained on outputs too, begin with 'Llama'; copies carry licence "
              "and Notice file; use policy: the multimodal models give no rights to parties based "
              "in the EU",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama3_2/LICENSE",
     .aliases = "llama-3.2|Llama 3.2 Community License Agreement",
     .phrases = "llama 3.2 community license|llama 3.2 license|llama 3 2 license"},
    {.id = "llama3.3",
     .name = "Llama 3.3 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; show 'Built with Llama'; derived "
              "names, of models trained on outputs too, begin with 'Llama'; copies carry licence "
              "and Notice file; use policy",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama3_3/LICENSE",
     .aliases = "llama-3.3|Llama 3.3 Community License Agreement",
     .phrases = "llama 3.3 community license|llama 3.3 license|llama 3 3 license"},
    {.id = "llama4",
     .name = "Llama 4 Community License",
     .commercial = kWithConditions,
     .terms = "above 700 million monthly users Meta must agree; show 'Built with Llama'; derived "
              "names, of models trained on outputs too, begin with 'Llama'; copies carry licence "
              "and Notice file; use policy: the multimodal models give no rights to parties based "
              "in the EU",
     .url = "https://github.com/meta-llama/llama-models/blob/main/models/llama4/LICENSE",
     .aliases = "llama-4|Llama 4 Community License Agreement",
     .phrases = "llama 4 community license|llama 4 license"},
    {.id = "gemma",
     .name = "Gemma Terms of Use",
     .commercial = kWithConditions,
     .terms = "use restrictions bind everyone downstream and must be passed on; a model trained on "
              "outputs to act alike counts as derived; copies carry the terms, a Notice file and a "
              "mark of changes",
     .url = "https://ai.google.dev/gemma/terms",
     .aliases = "gemma-terms|google-gemma-terms-of-use",
     .phrases = "gemma terms of use"},
    {.id = "apache-2.0",
     .name = "Apache License 2.0",
     .spdx = "Apache-2.0",
     .commercial = kYes,
     .terms = "copies carry the licence, its notices and a mark of changes",
     .url = "https://www.apache.org/licenses/LICENSE-2.0",
     .aliases = "apache2|apache",
     .phrases = "apache license version 2.0|apache org licenses license 2.0"},
    {.id = "mit",
     .name = "MIT License",
     .spdx = "MIT",
     .commercial = kYes,
     .terms = "copies carry the copyright and permission notice",
     .url = "https://opensource.org/license/mit",
     .phrases = "mit license|permission is hereby granted free of charge|opensource org licenses "
                "mit"},
    {.id = "mnpl",
     .name = "Mistral AI Non-Production License 0.1",
     .commercial = kNo,
     .terms = "testing, research and personal use outside of production only (read in part)",
     .url = "https://mistral.ai/licenses/MNPL-0.1.md",
     .aliases = "mnpl-0.1",
     .phrases = "mistral ai non production license|mnpl"},
    {.id = "mrl",
     .name = "Mistral AI Research License 0.1",
     .commercial = kNo,
     .terms = "research and non-commercial use only, outputs too; companies must not distribute it",
     .url = "https://mistral.ai/licenses/MRL-0.1.md",
     .aliases = "mrl-0.1|mistral-ai-research-license",
     .phrases = "mistral ai research license|mrl"},
    {.id = "falcon-180b",
     .name = "Falcon 180B TII License 1.0",
     .commercial = kWithConditions,
     .terms = "no shared hosting or API service without permission; the use policy binds "
              "downstream; copies carry licence, policy and a mark of changes",
     .url = "https://huggingface.co/spaces/tiiuae/falcon-180b-license/blob/main/LICENSE.txt",
     .aliases = "falcon-180b-license|falcon-180b-tii-license",
     .phrases = "falcon 180b tii license|falcon 180b license"},
    {.id = "falcon-2-11b",
     .name = "Falcon 2 11B TII License 1.0",
     .commercial = kWithConditions,
     .terms = "near to Apache 2.0; the use policy binds downstream; publicity names the source; "
              "copies carry licence, policy and a mark of changes",
     .url = "https://falconllm-staging.tii.ae/falcon-2-terms-and-conditions.html",
     .aliases = "falcon-2-11b-1.0|tii-falcon-license-2.0",
     .phrases = "falcon 2 11b tii license|falcon 2 terms and conditions"},
    {.id = "falcon-llm-license",
     .name = "TII Falcon-LLM License 2.0",
     .commercial = kWithConditions,
     .terms = "probably near to Apache 2.0 with a use policy that binds downstream (its text was "
              "not seen)",
     .url = "https://falconllm.tii.ae/falcon-terms-and-conditions.html",
     .phrases = "tii falcon llm license 2.0|falcon terms and conditions"},
    {.id = "tii-falcon-llm",
     .name = "TII Falcon LLM License 1.0",
     .commercial = kWithConditions,
     .terms = "old copies only, Falcon 7B and 40B have been under Apache 2.0 since 2023-05-31; "
              "commercial use owes royalties, by report 10 % above 1 million US dollars a year "
              "(read in part)",
     .url = "https://huggingface.co/tiiuae/falcon-40b/commit/"
            "b0462812b2f53caab9ccc64051635a74662fc73b",
     .aliases = "tii-falcon-llm-license",
     .phrases = "tii falcon llm license version 1.0"},
    {.id = "deepseek",
     .name = "DeepSeek License Agreement 1.0",
     .commercial = kWithConditions,
     .terms = "use restrictions (no military use) bind downstream; a distilled model counts as "
              "derived; copies carry licence and a mark of changes",
     .url = "https://github.com/deepseek-ai/DeepSeek-LLM/blob/main/LICENSE-MODEL",
     .aliases = "deepseek-license",
     .phrases = "deepseek license agreement"},
    {.id = "tongyi-qianwen",
     .name = "Tongyi Qianwen License Agreement",
     .commercial = kWithConditions,
     .terms = "above 100 million monthly users permission is needed; outputs must not train other "
              "language models; copies carry licence, Notice and a mark of changes",
     .url = "https://github.com/QwenLM/Qwen/blob/main/Tongyi%20Qianwen%20LICENSE%20AGREEMENT",
     .aliases = "tongyi-qianwen-license-agreement|qwen-72b-licence",
     .phrases = "tongyi qianwen license agreement"},
    {.id = "tongyi-qianwen-research",
     .name = "Tongyi Qianwen Research License Agreement",
     .commercial = kNo,
     .terms = "research and evaluation only; outputs must not train other language models; copies "
              "carry licence, Notice and a mark of changes",
     .url = "https://github.com/QwenLM/Qwen/blob/main/"
            "Tongyi%20Qianwen%20RESEARCH%20LICENSE%20AGREEMENT",
     .phrases = "tongyi qianwen research license agreement"},
    {.id = "qwen",
     .name = "Qwen License Agreement",
     .commercial = kWithConditions,
     .terms =
         "above 100 million monthly users permission is needed; models made with it say 'Built "
         "with Qwen'; copies carry licence, Notice and a mark of changes",
     .url = "https://huggingface.co/Qwen/Qwen2.5-72B/blob/main/LICENSE",
     .aliases = "qwen-license",
     .phrases = "qwen license agreement"},
    {.id = "qwen-research",
     .name = "Qwen Research License Agreement",
     .commercial = kNo,
     .terms = "research and evaluation only; models made with it say 'Built with Qwen'; copies "
              "carry licence, Notice and a mark of changes",
     .url = "https://huggingface.co/Qwen/Qwen2.5-3B/blob/main/LICENSE",
     .phrases = "qwen research license agreement"},
    {.id = "bigcode-openrail-m",
     .name = "BigCode OpenRAIL-M v1",
     .commercial = kWithConditions,
     .terms = "use restrictions bind downstream, models trained on its outputs too; copies carry "
              "licence and model card",
     .url = "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement",
     .phrases = "bigcode open rail m v 1|bigcode openrail m"},
    {.id = "bigscience-bloom-rail-1.0",
     .name = "BigScience RAIL License 1.0",
     .commercial = kWithConditions,
     .terms = "use restrictions bind downstream; a distilled model counts as derived; copies carry "
              "licence and a mark of changes",
     .url = "https://huggingface.co/spaces/bigscience/license",
     .phrases = "bigscience rail license"},
    {.id = "yi-license",
     .name = "Yi Series Models Community License 2.1",
     .commercial = kWithConditions,
     .terms = "old copies only, Yi has been under Apache 2.0 since 2024-05-30; commercial use "
              "needs a registration; copies carry licence and credit",
     .url = "https://github.com/01-ai/Yi/blob/main/MODEL_LICENSE_AGREEMENT.txt",
     .phrases = "yi series models community license"},
    {.id = "cc-by-nc-4.0",
     .name = "Creative Commons Attribution-NonCommercial 4.0",
     .spdx = "CC-BY-NC-4.0",
     .commercial = kNo,
     .terms = "copies carry credit, a link to the licence and a mark of changes",
     .url = "https://creativecommons.org/licenses/by-nc/4.0/",
     .phrases = "attribution noncommercial 4.0 international"},
    {.id = "cohere-cc-by-nc-4.0",
     .name = "Creative Commons Attribution-NonCommercial 4.0 with Cohere's use policy",
     .spdx = "CC-BY-NC-4.0",
     .commercial = kNo,
     .terms = "Cohere's acceptable use policy adds to the licence (its text was not read); copies "
              "carry credit, a link to licence and policy and a mark of changes",
     .url = "https://cohere.com/cohere-labs-cc-by-nc-license",
     .aliases = "c4ai-cc-by-nc",
     .phrases = "c4ai cc by nc license|cohere labs",
     .refines = "cc-by-nc-4.0"},
    {.id = "cc0-1.0",
     .name = "Creative Commons Zero 1.0",
     .spdx = "CC0-1.0",
     .commercial = kYes,
     .terms = "no conditions; trademark and patent rights are not waived",
     .url = "https://creativecommons.org/publicdomain/zero/1.0/",
     .aliases = "publicdomain",
     .phrases = "cc0 1.0 universal"},
    {.id = "openmdw-1.0",
     .name = "OpenMDW License Agreement 1.0",
     .spdx = "OpenMDW-1.0",
     .commercial = kYes,
     .terms = "copies carry licence and notices of origin",
     .url = "https://openmdw.ai/license/1-0/",
     .phrases = "openmdw license agreement version 1.0"},
    {.id = "other",
     .name = "Some other licence",
     .commercial = kUnknown,
     .terms = "terms are not known from this alone: read the licence that is meant",
     .url = "https://huggingface.co/docs/hub/repositories-licenses"},
    {.id = "unknown",
     .name = "No licence stated",
     .commercial = kUnknown,
     .terms = "without one no permission can be assumed",
     .url = "https://huggingface.co/docs/hub/repositories-licenses"},
};

constexpr ModelFamily kFamilies[] = {
    {"deepseek r1 distill llama 8b", "llama3.1"},
    {"deepseek r1 distill llama 70b", "llama3.3"},
    {"deepseek r1|deepseek v3 0324", ""},
    {"deepseek llm|deepseek coder|deepseek v2|deepseek v3|deepseek vl2", "deepseek"},
    {"open llama", ""},
    {"llama 4", "llama4"},
    {"llama 3.3|llama 3 3", "llama3.3"},
    {"llama 3.2|llama 3 2", "llama3.2"},
    {"llama 3.1|llama 3 1", "llama3.1"},
    {"llama 3", "llama3"},
    {"llama 2|code llama|codellama", "llama2"},
    {"llama 7b|llama 13b|llama 30b|llama 33b|llama 65b", "llama1"},
    {"gemma 4", ""},
    {"gemma", "gemma"},
    {"codestral 22b", "mnpl"},
    {"mistral large 2407|mistral large 2411|mistral large instruct 2407|"
     "mistral large instruct 2411|mistral small 2409|mistral small instruct 2409|ministral 8b|"
     "pixtral large",
     "mrl"},
    {"falcon 180b", "falcon-180b"},
    {"falcon 2 11b|falcon 11b", "falcon-2-11b"},
    {"falcon 3|falcon h1|falcon h1r|falcon mamba", "falcon-llm-license"},
    {"qwen 1.8b|qwen 1 8b", "tongyi-qianwen-research"},
    {"qwen 7b|qwen 14b|qwen 72b|qwen 2 72b", "tongyi-qianwen"},
    {"qwen 2.5 72b", "qwen"},
    {"qwen 2.5 3b|qwen 2.5 coder 3b|qwen 2.5 vl 3b", "qwen-research"},
    {"starcoder|starcoderbase", "bigcode-openrail-m"},
    {"bloom", "bigscience-bloom-rail-1.0"},
    {"command r|aya 23|aya expanse|tiny aya", "cohere-cc-by-nc-4.0"},
};

// "llama" says nothing: many makers use it.
constexpr ArchitectureTerms kArchitectures[] = {
    {"gemma", "gemma"},
    {"gemma2", "gemma"},
    {"gemma3", "gemma"},
    {"gemma3n", "gemma"},
    {"gemma4", "apache-2.0"},
    {"llama4", "llama4"},
    {"falcon-h1", "falcon-llm-license"},
    {"command-r", "cohere-cc-by-nc-4.0"},
    {"cohere2", "cohere-cc-by-nc-4.0"},
};

constexpr MakerTerms kMakers[] = {
    {"cohere|cohereforai|coherelabs", "cohere-cc-by-nc-4.0"},
};

}  // namespace

std::span<const Licence> licences() { return kLicences; }
std::span<const ModelFamily> model_families() { return kFamilies; }
std::span<const ArchitectureTerms> architecture_terms() { return kArchitectures; }
std::span<const MakerTerms> maker_terms() { return kMakers; }

}  // namespace nibble
