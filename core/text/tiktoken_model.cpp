// tiktoken's text format, as Llama 3's Meta folders have it: lines "base64 rank", every byte string
// once, ranks in order. A pair merges by the rank of what it makes; a piece that is a token is that
// token.
#include <array>
#include <charconv>

#include "core/text/byte_level.h"
#include "core/text/llama_cpp_names.h"
#include "core/text/pipeline_json.h"
#include "core/text/tokenizer_model.h"

namespace nibble::text {
namespace {
constexpr int kSpecialTokens = 256;

// The names behind the vocabulary; the rest is <|reserved_special_token_N|>, counted on.
constexpr std::string_view kNames[] = {"<|begin_of_text|>",
                                       "<|end_of_text|>",
                                       "<|reserved_special_token_0|>",
                                       "<|reserved_special_token_1|>",
                                       "<|finetune_right_pad_id|>",
                                       "<|reserved_special_token_2|>",
                                       "<|start_header_id|>",
                                       "<|end_header_id|>",
                                       "<|eom_id|>",
                                       "<|eot_id|>",
                                       "<|python_tag|>"};
constexpr int kFirstUnnamed = 3;

constexpr std::array<int8_t, 256> kBase64 = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<int8_t>(i);
  return values;
}();

// False: no base64.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  while (text.ends_with('=')) text.remove_suffix(1);
  uint32_t bits = 0;
  int n_bits = 0;
  for (const char c : text) {
    const int value = kBase64[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    out += static_cast<char>(bits >> n_bits & 0xFF);
  }
  return !out.empty();
}

struct Texts {
  std::shared_ptr<std::string> arena = std::make_shared<std::string>();
  std::vector<size_t> ends;  // of each text in the arena
  void add_end() { ends.push_back(arena->size()); }
};

Result<void> read_line(std::string_view line, Texts& texts) {
  const size_t space = line.find(' ');
  std::string bytes;
  if (space == std::string_view::npos || !decode_base64(line.substr(0, space), bytes))
    return corrupt("line {}: expected base64 and a rank", texts.ends.size() + 1);
  const std::string_view number = line.substr(space + 1);
  uint64_t rank = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rank);
  if (error != std::errc() || end != number.data() + number.size() || rank != texts.ends.size())
    return corrupt("line {}: rank '{}', expected {}", texts.ends.size() + 1, number,
                   texts.ends.size());
  append_byte_level(*texts.arena, bytes);
  texts.add_end();
  return {};
}

void add_special_tokens(Texts& texts, TokenizerSource& source) {
  for (int i = 0; i < kSpecialTokens; ++i) {
    const auto n_named = static_cast<int>(std::size(kNames));
    const std::string name =
        i < n_named ? std::string(kNames[i])
                    : fmt::format("<|reserved_special_token_{}|>", i - n_named + kFirstUnnamed);
    source.added.push_back({name, static_cast<TokenId>(texts.ends.size()), true});
    *texts.arena += name;
    texts.add_end();
  }
}
}  // namespace

Result<TokenizerSource> read_tiktoken(std::string_view text) {
  Texts texts;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) NIBBLE_CHECK(read_line(line, texts));
  }
  if (texts.ends.empty()) return corrupt("neither a SentencePiece model nor a tiktoken vocabulary");
  TokenizerSource source;
  source.n_model = static_cast<int>(texts.ends.size());
  add_special_tokens(texts, source);
  for (uint32_t rank = 0; rank < texts.ends.size(); ++rank)
    source.ranks.push_back(static_cast<int>(rank) < source.n_model ? rank : kNoRank);
  source.bos = source.n_model;
  source.eos = source.n_model + 9;  // <|eot_id|>, what ends a turn
  std::vector<std::string_view> views;
  for (size_t i = 0; i < texts.ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : texts.ends[i - 1];
    views.push_back(std::string_view(*texts.arena).substr(begin, texts.ends[i] - begin));
  }
  NIBBLE_TRY(auto vocabulary, Vocabulary::make(std::move(views), texts.arena));
  source.vocabulary = std::make_shared<const Vocabulary>(std::move(vocabulary));
  NIBBLE_TRY(const NamedPipeline named, named_pipeline("llama-bpe"));
  source.pipeline = {{"pre_tokenizer", named.pre_tokenizer},
                     {"decoder", {{"type", "ByteLevel"}}},
                     {"model", {{"type", "BPE"}, {"ignore_merges", true}}},
                     {"post_processor", affixes_json(source.bos, std::nullopt)}};
  return source;
}

}  // namespace nibble::text
