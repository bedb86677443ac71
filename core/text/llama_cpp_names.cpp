#include "core/text/llama_cpp_names.h"

#include <algorithm>
#include <array>
#include <span>

namespace nibble::text {
namespace {
// Branches of the pre-tokenizers' expressions.
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define PUNCTUATION_LINES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define PUNCTUATION_SLASHES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
#define SPACES "\\s+(?!\\S)|\\s+"
#define LINES_SPACES "\\s*[\\r\\n]+|" SPACES
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define NO_WORD "[^\\r\\n\\p{L}\\p{N}]?"
#define CASED_WORDS(suffix) \
  NO_WORD UPPER "*" LOWER "+" suffix "|" NO_WORD UPPER "+" LOWER "*" suffix
#define CJK "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}]+"
#define ASCII_MARKS "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]"
#define MARKED_WORDS ASCII_MARKS "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
#define DEEPSEEK_WORDS MARKED_WORDS "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES_SPACES
#define QWEN_WORDS CONTRACTION "|" LETTERS "|\\p{N}|" PUNCTUATION_LINES "|" LINES_SPACES
#define GPT4O_WORDS \
  CASED_WORDS(CONTRACTION "?") "|\\p{N}{1,3}|" PUNCTUATION_SLASHES "|" LINES_SPACES
#define NO_HAN(set) "[" set "&&[^\\p{Han}]]"
#define UPPER_NO_HAN NO_HAN("\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}")
#define LOWER_NO_HAN NO_HAN("\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}")
#define CASED_WORDS_NO_HAN                                                                         \
  NO_WORD UPPER_NO_HAN "*" LOWER_NO_HAN "+" CONTRACTION "?|" NO_WORD UPPER_NO_HAN "+" LOWER_NO_HAN \
                       "*" CONTRACTION "?"
#define HALVED(n) "\\s{" #n "}(?!\\S)|"

// A pass is an expression whose matches and gaps become pieces, or one of these.
constexpr std::string_view kDigits = "<digits>";            // Digits, one by one
constexpr std::string_view kDigitRuns = "<digit runs>";     // Digits, in runs
constexpr std::string_view kPunctuation = "<punctuation>";  // Punctuation, single
constexpr std::string_view kPunctuationRuns = "<punctuation runs>";
constexpr std::string_view kGpt2 = "<gpt2>";    // ByteLevel with its own expression: maps bytes
constexpr std::string_view kBytes = "<bytes>";  // ByteLevel without: maps bytes
constexpr std::string_view kSpaceSplit = "<white space>";  // WhitespaceSplit

// The alphabets that DeepSeek LLM names: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee and
// others that have case.
constexpr std::string_view kDeepseekLetters =
    "\\s?[A-Za-z\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}"
    "\\x{1c4}-\\x{293}\\x{295}-\\x{2af}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}"
    "\\x{37f}\\x{386}\\x{388}-\\x{38a}\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}\\x{3f7}-"
    "\\x{481}\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}\\x{13a0}-\\x{13f5}"
    "\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}\\x{1cbd}-\\x{1cbf}\\x{1d00}-\\x{1d2b}\\x{1d6b}"
    "-\\x{1d77}\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}\\x{1f18}-\\x{1f1d}\\x{1f20}-"
    "\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}\\x{1f59}\\x{1f5b}\\x{1f5d}\\x{1f5f}-"
    "\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}\\x{1fbe}\\x{1fc2}-\\x{1fc4}\\x{1fc6}-"
    "\\x{1fcc}\\x{1fd0}-\\x{1fd3}\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}"
    "\\x{1ff6}-\\x{1ffc}\\x{2102}\\x{2107}\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}"
    "\\x{2124}\\x{2126}\\x{2128}\\x{212a}-\\x{212d}\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-"
    "\\x{213f}\\x{2145}-\\x{2149}\\x{214e}\\x{2183}\\x{2184}\\x{2c00}-\\x{2c7b}\\x{2c7e}-"
    "\\x{2ce4}\\x{2ceb}-\\x{2cee}\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}\\x{a680}-\\x{a69b}"
    "\\x{a722}-\\x{a76f}\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}\\x{fb00}"
    "-\\x{fb06}\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}\\x{10400}-"
    "\\x{1044f}\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}\\x{10c80}-\\x{10cb2}\\x{10cc0}-"
    "\\x{10cf2}\\x{118a0}-\\x{118df}\\x{1e900}-\\x{1e943}]+";
constexpr std::string_view kDeepseekMarks =
    "\\s?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-"
    "\\x{3002}]+";
constexpr std::string_view kEastAsian =
    "[\\x{4e00}-\\x{9fa5}\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+";
constexpr std::string_view kSentence =
    " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})]+";

enum Flags : unsigned {
  kNone = 0,
  kNfc = 1,           // the text is normalized first
  kIgnoreMerges = 2,  // a piece that is a token is that token
  kAddBos = 4,
  kSpacesEscaped = 8,  // spaces become U+2581, the vocabulary is plain text
};

struct Row {
  std::string_view names;  // separated by spaces
  unsigned flags;
  std::array<std::string_view, 7> passes;
};

constexpr Row kRows[] = {
    {"gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de gigachat a.x-4.0 mellum jais trillion "
     "exaone4 granite-docling jina-v1-en jina-v2-code roberta-bpe",
     kNone,
     {kGpt2}},
    {"olmo modern-bert mpt", kNfc, {kGpt2}},
    {"starcoder refact smollm codeshell exaone minerva-7b mellum2", kNone, {kDigits, kGpt2}},
    {"command-r", kNfc, {kDigits, kGpt2}},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
     kIgnoreMerges | kAddBos,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"dbrx smaug-bpe",
     kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"chatglm-bpe glm4 glm5",
     kIgnoreMerges,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2",
     kNfc,
     {QWEN_WORDS, kBytes}},
    {"qwen35",
     kNfc,
     {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
                  " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES_SPACES,
      kBytes}},
    {"gpt-4o llama4 kanana2 talkie minimax-m2", kNone, {GPT4O_WORDS, kBytes}},
    {"granite-embed-multi-97m", kIgnoreMerges, {GPT4O_WORDS, kBytes}},
    {"tekken",
     kIgnoreMerges | kAddBos,
     {CASED_WORDS("") "|\\p{N}|" PUNCTUATION_SLASHES "|" LINES_SPACES, kBytes}},
    {"deepseek-v3 hunyuan-dense joyai-llm hy_v4",
     kNone,
     {"\\p{N}{1,3}", CJK, DEEPSEEK_WORDS, kBytes}},
    {"spark2_5",
     kNone,
     {"\\p{N}{1,3}", CJK, MARKED_WORDS "| ?[\\p{P}\\p{S}]+|[\\r\\n]|" SPACES, kDigits, kBytes}},
    {"deepseek-llm",
     kNone,
     {"[\\r\\n]", kDeepseekLetters, kDeepseekMarks, "\\s+$", kEastAsian, kDigits, kBytes}},
    {"deepseek-coder",
     kNone,
     {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", kEastAsian, kDigits, kBytes}},
    {"falcon", kNone, {kPunctuationRuns, kGpt2, kDigitRuns, "[0-9][0-9][0-9]"}},
    {"default",
     kNone,
     {"[\\p{P}\\$\\+<=>\\^~\\|]+",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", "\\p{N}+",
      "[0-9][0-9][0-9]", kBytes}},
    {"poro-chat bloom gpt3-finnish", kNone, {kSentence, kBytes}},
    {"viking", kNone, {kSentence, kDigits, kBytes}},
    {"jais-2",
     kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|\\s*[\\r\\n]+|" HALVED(512)
          HALVED(256) HALVED(128) HALVED(64) HALVED(32) HALVED(16) HALVED(8)
              HALVED(4) "\\s{1,2}(?!\\S)|\\s{1}",
      kBytes}},
    {"youtu",
     kIgnoreMerges,
     {"[\\x{ac00}-\\x{d7a3}\\x{3131}-\\x{318e}]+|[\\x{ff01}\\x{2026}\\x{201c}\\x{201d}"
      "\\x{2018}\\x{2019}\\x{2014}\\x{ff1a}\\x{ff1b}\\x{ff0c}\\x{3001}-\\x{303f}\\x{fe30}-"
      "\\x{fe4f}]+|[\\x{3105}-\\x{312f}]+|[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}"
      "-\\x{30ff}]+",
      CASED_WORDS(CONTRACTION "?") "|\\p{N}|" PUNCTUATION_SLASHES "|" LINES_SPACES, kBytes}},
    {"tiny_aya cohere2moe", kNone, {"\\d{1,3}(?=(?:\\d{3})*\\b)", GPT4O_WORDS, kBytes}},
    {"superbpe", kNone, {"\\p{N}+", "(?=(?:\\d{3})+(?!\\d))", kBytes}},
    {"bailingmoe bailingmoe2 llada-moe",
     kNone,
     {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
      "\\s*[\\r\\n]|" SPACES,
      kBytes}},
    {"seed-coder",
     kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" LINES_SPACES, kBytes}},
    {"kimi-k2",
     kNone,
     {"[\\p{Han}]+|" CASED_WORDS_NO_HAN "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES,
      kBytes}},
    {"minicpm5",
     kIgnoreMerges,
     {"\\p{N}{1,3}", CONTRACTION "|" LETTERS "|\\p{N}+|" PUNCTUATION_LINES "|" LINES_SPACES,
      kBytes}},
    {"chameleon",
     kAddBos,
     {"<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\\t\\n]|    |  )", kDigits,
      kPunctuation, kGpt2}},
    {"afmoe",
     kNone,
     {"\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))",
      "[\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{8c48}-\\x{faff}\\x{3040}-\\x{309f}"
      "\\x{30a0}-\\x{30ff}\\x{ff65}-\\x{ff9f}\\x{2f00}-\\x{2fdf}\\x{e40}-\\x{e7f}\\x{e80}-"
      "\\x{eff}\\x{1780}-\\x{17ff}\\x{1000}-\\x{109f}\\x{aa60}-\\x{aa7f}\\x{a9e0}-"
      "\\x{a9ff}\\x{ac00}-\\x{d7af}\\x{1100}-\\x{11ff}]+",
      DEEPSEEK_WORDS, kBytes}},
    {"laguna", kNone, {"[^\\n]+|[\\n]+", QWEN_WORDS, kBytes}},
    {"exaone-moe",
     kNone,
     {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|"
                  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|" SPACES,
      kBytes}},
    {"ufakzeka", kNone, {LETTERS "|\\p{N}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"gemma4 granite-embed-multi-311m sarvam-moe", kSpacesEscaped, {}},
    {"whitespace", kNone, {kSpaceSplit}},
};

bool lists(std::string_view names, std::string_view name) {
  for (size_t i = 0; i < names.size();) {
    const size_t end = std::min(names.find(' ', i), names.size());
    if (names.substr(i, end - i) == name) return true;
    i = end + 1;
  }
  return false;
}

Json pass_json(std::string_view pass) {
  if (pass == kDigits || pass == kDigitRuns)
    return {{"type", "Digits"}, {"individual_digits", pass == kDigits}};
  if (pass == kPunctuation || pass == kPunctuationRuns)
    return {{"type", "Punctuation"},
            {"behavior", pass == kPunctuation ? "Isolated" : "Contiguous"}};
  if (pass == kGpt2 || pass == kBytes)
    return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", pass == kGpt2}};
  if (pass == kSpaceSplit) return {{"type", "WhitespaceSplit"}};
  return {{"type", "Split"},
          {"pattern", {{"Regex", pass}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}
}  // namespace

Result<NamedPipeline> named_pipeline(std::string_view name) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) { return lists(r.names, name); });
  if (row == std::end(kRows))
    return unsupported("tokenizer.ggml.pre: pre-tokenizer '{}' is not known", name);
  NamedPipeline out;
  out.maps_bytes = false;
  Json passes = Json::array();
  for (const std::string_view pass : row->passes) {
    if (pass.empty()) break;
    passes.push_back(pass_json(pass));
    out.maps_bytes = out.maps_bytes || pass == kGpt2 || pass == kBytes;
  }
  if (!passes.empty()) out.pre_tokenizer = {{"type", "Sequence"}, {"pretokenizers", passes}};
  if (row->flags & kNfc) out.normalizer = {{"type", "NFC"}};
  if (row->flags & kSpacesEscaped)
    out.normalizer = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  out.ignore_merges = (row->flags & kIgnoreMerges) != 0;
  out.add_bos = (row->flags & kAddBos) != 0;
  return out;
}

std::vector<std::string_view> pipeline_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows) names.push_back(row.names.substr(0, row.names.find(' ')));
  return names;
}

}  // namespace nibble::text
