#include "core/text/llama_cpp_names.h"

#include <algorithm>
#include <array>
#include <span>

namespace nibble::text {
namespace {
// Branches of expressions, named as DESIGN.md's glossary of text does.
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define PUNCTUATION_LINES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define PUNCTUATION_SLASHES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
#define SPACES "\\s+(?!\\S)|\\s+"
#define LINES_SPACES "\\s*[\\r\\n]+|" SPACES
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define NO_WORD "[^\\r\\n\\p{L}\\p{N}]?"
#define CASED_WORDS(suffix) NO_WORD UPPER "*" LOWER "+" suffix "|" NO_WORD UPPER "+" LOWER "*" suffix
#define CJK "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
#define ASCII_MARKS "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]"
#define MARKED_WORDS ASCII_MARKS "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
#define DEEPSEEK_WORDS MARKED_WORDS "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES_SPACES
#define QWEN_WORDS CONTRACTION "|" LETTERS "|\\p{N}|" PUNCTUATION_LINES "|" LINES_SPACES
#define GPT4O_WORDS \
  CASED_WORDS(CONTRACTION "?") "|\\p{N}{1,3}|" PUNCTUATION_SLASHES "|" LINES_SPACES
#define NO_HAN(set) "[" set "&&[^\\p{Han}]]"
#define UPPER_NO_HAN NO_HAN("\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}")
#define LOWER_NO_HAN NO_HAN("\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}")
#define CASED_WORDS_NO_HAN                                    \
  NO_WORD UPPER_NO_HAN "*" LOWER_NO_HAN "+" CONTRACTION "?|"  \
  NO_WORD UPPER_NO_HAN "+" LOWER_NO_HAN "*" CONTRACTION "?"
#define HALVED(n) "\\s{" #n "}(?!\\S)|"

// A pass is an expression whose matches and gaps become pieces, or one of these.
constexpr std::string_view kDigits = "<digits>";            // Digits, one by one
constexpr std::string_view kDigitRuns = "<digit runs>";     // Digits, in runs
constexpr std::string_view kPunctuation = "<punctuation>";  // Punctuation, single
constexpr std::string_view kPunctuationRuns = "<punctuation runs>";
constexpr std::string_view kGpt2 = "<gpt2>";    // ByteLevel with its own expression: maps bytes
constexpr std::string_view kBytes = "<bytes>";  // ByteLevel without: maps bytes
constexpr std::string_view kSpaceSplit = "<white space>";  // WhitespaceSplit

// The alphabets that DeepSeek LLM names: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee and others that have case.
constexpr std::string_view kDeepseekLetters =
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕ"
    "Ἐ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳ"
    "Ꙁ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
constexpr std::string_view kDeepseekMarks = "\\s?[!-/:-~！-／：-～‘-‟　-。]+";
constexpr std::string_view kEastAsian = "[一-龥ࠀ-一가-퟿]+";
constexpr std::string_view kSentence = " ?[^(\\s|.,!?…。，、।۔،)]+";

enum Flags : unsigned {
  kNone = 0,
  kNfc = 1,            // the text is normalized first
  kIgnoreMerges = 2,   // a piece that is a token is that token
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
     kNone, {kGpt2}},
    {"modern-bert mpt olmo", kNfc, {kGpt2}},
    {"starcoder refact smollm codeshell exaone minerva-7b mellum2", kNone, {kDigits, kGpt2}},
    {"command-r", kNfc, {kDigits, kGpt2}},
    {"llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
     kIgnoreMerges | kAddBos,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"dbrx smaug-bpe", kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"chatglm-bpe glm4 glm5", kIgnoreMerges,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES, kBytes}},
    {"qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2", kNfc,
     {QWEN_WORDS, kBytes}},
    {"qwen35", kNfc,
     {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
      " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES_SPACES, kBytes}},
    {"gpt-4o llama4 kanana2 talkie minimax-m2", kNone, {GPT4O_WORDS, kBytes}},
    {"granite-embed-multi-97m", kIgnoreMerges, {GPT4O_WORDS, kBytes}},
    {"tekken", kIgnoreMerges | kAddBos,
     {CASED_WORDS("") "|\\p{N}|" PUNCTUATION_SLASHES "|" LINES_SPACES, kBytes}},
    {"deepseek-v3 hunyuan-dense joyai-llm hy_v4", kNone,
     {"\\p{N}{1,3}", CJK, DEEPSEEK_WORDS, kBytes}},
    {"spark2_5", kNone,
     {"\\p{N}{1,3}", CJK, MARKED_WORDS "| ?[\\p{P}\\p{S}]+|[\\r\\n]|" SPACES, kDigits, kBytes}},
    {"deepseek-llm", kNone,
     {"[\\r\\n]", kDeepseekLetters, kDeepseekMarks, "\\s+$", kEastAsian, kDigits, kBytes}},
    {"deepseek-coder", kNone,
     {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", kEastAsian, kDigits, kBytes}},
    {"falcon", kNone, {kPunctuationRuns, kGpt2, kDigitRuns, "[0-9][0-9][0-9]"}},
    {"default", kNone,
     {"[\\p{P}\\$\\+<=>\\^~\\|]+",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", "\\p{N}+",
      "[0-9][0-9][0-9]", kBytes}},
    {"poro-chat bloom gpt3-finnish", kNone, {kSentence, kBytes}},
    {"viking", kNone, {kSentence, kDigits, kBytes}},
    {"jais-2", kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1,3}|" PUNCTUATION_LINES "|\\s*[\\r\\n]+|" HALVED(512)
      HALVED(256) HALVED(128) HALVED(64) HALVED(32) HALVED(16) HALVED(8) HALVED(4)
      "\\s{1,2}(?!\\S)|\\s{1}", kBytes}},
    {"youtu", kIgnoreMerges,
     {"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
      CASED_WORDS(CONTRACTION "?") "|\\p{N}|" PUNCTUATION_SLASHES "|" LINES_SPACES, kBytes}},
    {"tiny_aya cohere2moe", kNone, {"\\d{1,3}(?=(?:\\d{3})*\\b)", GPT4O_WORDS, kBytes}},
    {"superbpe", kNone, {"\\p{N}+", "(?=(?:\\d{3})+(?!\\d))", kBytes}},
    {"bailingmoe bailingmoe2 llada-moe", kNone,
     {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
      "\\s*[\\r\\n]|" SPACES, kBytes}},
    {"seed-coder", kNone,
     {CONTRACTION "|" LETTERS "|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" LINES_SPACES, kBytes}},
    {"kimi-k2", kNone,
     {"[\\p{Han}]+|" CASED_WORDS_NO_HAN "|\\p{N}{1,3}|" PUNCTUATION_LINES "|" LINES_SPACES,
      kBytes}},
    {"minicpm5", kIgnoreMerges,
     {"\\p{N}{1,3}", CONTRACTION "|" LETTERS "|\\p{N}+|" PUNCTUATION_LINES "|" LINES_SPACES,
      kBytes}},
    {"chameleon", kAddBos,
     {"<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\\t\\n]|    |  )", kDigits,
      kPunctuation, kGpt2}},
    {"afmoe", kNone,
     {"\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))",
      "[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+", DEEPSEEK_WORDS, kBytes}},
    {"laguna", kNone, {"[^\\n]+|[\\n]+", QWEN_WORDS, kBytes}},
    {"exaone-moe", kNone,
     {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|"
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|" SPACES, kBytes}},
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

}  // namespace nibble::text
