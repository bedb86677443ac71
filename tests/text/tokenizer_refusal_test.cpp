// Tokenizer files that are broken or ask for what is not built in: refused by name, none crashes.
#include <fstream>
#include <iterator>
#include <string>

#include "core/text/tokenizer_model.h"
#include "tests/temporary_folder.h"
#include "tests/text/tokenizer_cases.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

// A folder with a small tokenizer.json in which one piece of text is another.
Result<std::unique_ptr<Tokenizer>> load_changed(const std::string& from, const std::string& to) {
  std::string text = R"({"added_tokens": [{"id": 3, "content": "<s>", "special": true}],
    "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})";
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const TemporaryFolder folder;  // of its own: cases run beside one another
  folder.write("tokenizer.json", text);
  return Tokenizer::from_folder(folder.path());
}

std::string repeated(const std::string& part, int n) {
  std::string list = "[" + part;
  for (int i = 1; i < n; ++i) list += ", " + part;
  return list + "]";
}

// The member `name`: a sequence of n steps, each of which makes two "a" of one.
std::string doubling(const char* name, const char* list, int n) {
  const std::string part = R"({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"})";
  return fmt::format(R"("{}": {{"type": "Sequence", "{}": {}}})", name, list, repeated(part, n));
}

struct Refusal {
  const char *from, *to;
  ErrorKind kind;
  const char* words;
};

constexpr const char* kPre = R"("pre_tokenizer": null)";
constexpr const char* kNormalizer = R"("normalizer": null)";
constexpr const char* kPost = R"("post_processor": null)";
constexpr const char* kDecoder = R"({"type": "Fuse"})";

const Refusal kRefusals[] = {
    {kPre, R"("pre_tokenizer": {"type": "UnicodeScripts"})", ErrorKind::kUnsupported,
     "'UnicodeScripts'"},
    {kPre,
     R"x("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a(?<n>b)"}, "behavior": "Isolated"})x",
     ErrorKind::kUnsupported, "group '(?<n'"},
    {kPre,
     R"("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\X"}, "behavior": "Isolated"})",
     ErrorKind::kUnsupported, "escape '\\X'"},
    {kPre,
     R"("pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Sideways"})",
     ErrorKind::kUnsupported, "'Sideways'"},
    {kPre, R"("pre_tokenizer": {"type": "Split", "behavior": "Isolated"})", ErrorKind::kCorrupt,
     "'pattern'"},
    {kPre, R"("pre_tokenizer": {"type": 7})", ErrorKind::kCorrupt, "'type'"},
    {kPre, R"("pre_tokenizer": [])", ErrorKind::kCorrupt, "expected an object"},
    {kPre, R"("pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "last"})",
     ErrorKind::kUnsupported, "'last'"},
    {kPre, R"("pre_tokenizer": {"type": "Metaspace", "replacement": "__"})", ErrorKind::kCorrupt,
     "not one character"},
    {kDecoder, R"({"type": "Metaspace", "replacement": "__"})", ErrorKind::kCorrupt,
     "not one character"},
    {kNormalizer, R"("normalizer": {"type": "Precompiled", "precompiled_charsmap": "AA=="})",
     ErrorKind::kUnsupported, "'Precompiled'"},
    {kNormalizer, R"("normalizer": {"type": "Sequence"})", ErrorKind::kCorrupt, "'normalizers'"},
    {kPost, R"("post_processor": {"type": "Unheard"})", ErrorKind::kUnsupported, "'Unheard'"},
    {kPost,
     R"("post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}},
               {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [4]}}})",
     ErrorKind::kCorrupt, "outside of the vocabulary"},
    {kPost,
     R"("post_processor": {"type": "Sequence", "processors": [
               {"type": "BertProcessing", "cls": ["a", 0], "sep": ["b", 1]},
               {"type": "BertProcessing", "cls": ["a", 0], "sep": ["b", 1]}]})",
     ErrorKind::kUnsupported, "two add tokens"},
    {kDecoder, R"({"type": "CTC"})", ErrorKind::kUnsupported, "'CTC'"},
    {R"("type": "BPE")", R"("type": "WordLevel")", ErrorKind::kUnsupported, "'WordLevel'"},
    {R"("type": "BPE")", R"("type": "BPE", "dropout": 0.1)", ErrorKind::kUnsupported, "dropout"},
    {R"("type": "BPE")", R"("type": "BPE", "unk_token": "<unk>")", ErrorKind::kCorrupt, "'<unk>'"},
    {R"("a b")", R"("a c")", ErrorKind::kCorrupt, "merge 0"},
    {R"("a b")", R"(["a", "b", "c"])", ErrorKind::kCorrupt, "model.merges"},
    {R"("a b")", "7", ErrorKind::kCorrupt, "model.merges"},
    {R"("ab": 2)", R"("ab": 2000000000)", ErrorKind::kCorrupt, "out of range"},
    {R"("ab": 2)", R"("ab": -1)", ErrorKind::kCorrupt, "model.vocab"},
    {R"("id": 3)", R"("id": 999999999)", ErrorKind::kCorrupt, "out of range"},
    {R"("vocab")", R"("vocabulary")", ErrorKind::kCorrupt, "'vocab' is missing"},
    {R"(["a b"]}})", R"(["a b"])", ErrorKind::kCorrupt, ""},
};
}  // namespace

TEST_CASE("a component that is broken or not built in is named") {
  REQUIRE(load_changed("<s>", "<s>").has_value());
  for (const Refusal& row : kRefusals) {
    CAPTURE(row.to);
    const auto tokenizer = load_changed(row.from, row.to);
    REQUIRE(!tokenizer.has_value());
    CHECK(tokenizer.error().kind == row.kind);
    CHECK_MESSAGE(tokenizer.error().message.contains(row.words), tokenizer.error().message);
    CHECK(tokenizer.error().message.contains("tokenizer.json"));
  }
}

TEST_CASE("an expression that backtracks without end is given up") {
  constexpr const char* kEndless =
      R"x("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?:a+)+(?=c)"}, "behavior": "Isolated"})x";
  const auto tokenizer = load_changed(kPre, kEndless);
  REQUIRE(tokenizer.has_value());
  CHECK((*tokenizer)->encode("aac").has_value());
  const auto ids = (*tokenizer)->encode(std::string(64, 'a') + "b");
  REQUIRE(!ids.has_value());
  CHECK(ids.error().kind == ErrorKind::kInvalidInput);
}

TEST_CASE("steps that double what they find: just under the budget encode, one more do not") {
  const std::string text(1, 'a');
  CHECK(load_changed(kNormalizer, doubling("normalizer", "normalizers", 18)).value()->encode(text));
  CHECK(
      !load_changed(kNormalizer, doubling("normalizer", "normalizers", 19)).value()->encode(text));
  const auto over = load_changed(kNormalizer, doubling("normalizer", "normalizers", 20));
  const auto ids = over.value()->encode(text);
  REQUIRE(!ids.has_value());
  CHECK(ids.error().kind == ErrorKind::kInvalidInput);
  CHECK(ids.error().message == "the tokenizer makes more than 1048704 bytes of a text of 1");
}

TEST_CASE("what a normalizer makes is counted over all stretches of a text and all of its steps") {
  const auto encode = [](const std::string& normalizer, const std::string& text) {
    return load_changed(kNormalizer, R"("normalizer": )" + normalizer).value()->encode(text);
  };
  const std::string long_text(250'000, 'b');
  const std::string prepend = R"({"type": "Prepend", "prepend": ")" + long_text + R"("})";
  CHECK(encode(prepend, "a<s>a"));
  CHECK(!encode(prepend, "a<s>a<s>a"));
  const std::string replace =
      R"({"type": "Replace", "pattern": {"String": "a"}, "content": ")" + long_text + R"("})";
  CHECK(encode(replace, "aa"));
  CHECK(!encode(replace, "aaa"));
  const std::string bytes = repeated(R"({"type": "ByteLevel"})", 60);
  CHECK(!encode(R"({"type": "Sequence", "normalizers": )" + bytes + "}", "\u00e9"));
}

TEST_CASE("a normalizer that makes too much of added tokens is refused") {
  const auto load = [](int n_prefix) {
    std::string added;
    for (const char c : {'c', 'd', 'e'})
      added += fmt::format(R"({{"id": {}, "content": "{}", "normalized": true}}, )", int(c), c);
    return load_changed(R"({"id": 3, "content": "<s>", "special": true}],
    "normalizer": null)",
                        fmt::format(R"({}{{"id": 3, "content": "<s>", "normalized": false}}],
    "normalizer": {{"type": "Prepend", "prepend": "{}"}})",
                                    added, std::string(size_t(n_prefix), 'x')));
  };
  CHECK(load(340'000));
  CHECK(!load(360'000));
}

TEST_CASE("what a template puts around a text: just under the budget is read, one more is not") {
  const auto load = [](int n_parts, int n_ids) {
    std::string single = repeated(R"({"SpecialToken": {"id": "<s>"}})", n_parts);
    single.insert(1, R"({"Sequence": {"id": "A"}}, )");
    return load_changed(kPost, fmt::format(R"("post_processor": {{"type": "TemplateProcessing",
        "single": {}, "special_tokens": {{"<s>": {{"ids": {}}}}}}})",
                                           single, repeated("3", n_ids)));
  };
  CHECK(load(1, 1024).value()->encode("a").value().size() == 1025);
  CHECK(load(512, 2).value()->encode("a").value().size() == 1025);
  for (const auto& [n_parts, n_ids] : {std::pair(1, 1025), {1024, 1}, {15'000, 15'000}}) {
    const auto refused = load(n_parts, n_ids);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().kind == ErrorKind::kUnsupported);
    CHECK(refused.error().message.contains("1024"));
  }
}

TEST_CASE("pre-tokenizers: just under the budget of bytes and of steps encode, one more does not") {
  const auto load = [](const std::string& part, int n) {
    return load_changed(kPre, fmt::format(R"("pre_tokenizer": {{"type": "Sequence",
        "pretokenizers": {}}})",
                                          repeated(part, n)));
  };
  const std::string bytes =
      R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})";
  CHECK(load(bytes, 18).value()->encode("\u00e9"));
  const auto ids = load(bytes, 60).value()->encode("\u00e9");
  REQUIRE(!ids.has_value());
  CHECK(ids.error().kind == ErrorKind::kInvalidInput);
  const std::string spaces = R"({"type": "WhitespaceSplit"})";
  CHECK(load(spaces, 256).value()->encode("a b").value() == std::vector<TokenId>{0, 1});
  const auto many = load(spaces, 257);
  REQUIRE(!many.has_value());
  CHECK(many.error().message.ends_with("pre-tokenizer of 257 steps, at most 256 are read"));
  CHECK(!load(spaces, 300'000));
}

TEST_CASE("a decoder that doubles what it finds is given up") {
  const auto decode = [](int n) {
    const auto tokenizer =
        load_changed(R"("decoder": {"type": "Fuse"})", doubling("decoder", "decoders", n));
    return tokenizer.value()->decode(std::vector<TokenId>{0});
  };
  CHECK(decode(19).value().size() == 1 << 19);
  const auto text = decode(60);
  REQUIRE(!text.has_value());
  CHECK(text.error().kind == ErrorKind::kInvalidInput);
  const auto over =
      load_changed(R"("decoder": {"type": "Fuse"})", doubling("decoder", "decoders", 60));
  CHECK(over.value()->piece(0) == "a");
}

TEST_CASE("an added token that takes white space along is looked for in linear time") {
  const auto tokenizer = load_changed(
      R"("content": "<s>", "special": true)",
      R"("content": " ", "special": true, "normalized": false, "lstrip": true, "rstrip": true)");
  const std::string spaces(1'000'000, ' ');
  CHECK(tokenizer.value()->encode("a" + spaces + "b").value() == std::vector<TokenId>{0, 3, 1});
}

TEST_CASE("long added tokens are looked for in linear time") {
  const std::string a(50'000, 'a');
  const auto tokenizer =
      load_changed(R"({"id": 3, "content": "<s>", "special": true})",
                   fmt::format(R"({{"id": 3, "content": "{0}b", "normalized": false}},
                     {{"id": 4, "content": "ba", "normalized": false}},
                     {{"id": 5, "content": "b{0}", "normalized": false}},
                     {{"id": 6, "content": "baa", "normalized": false}})",
                               a));
  REQUIRE(tokenizer.has_value());
  const std::string text = "b" + a.substr(1) + "xb" + a + "ab" + a + a + "bab";
  std::vector<TokenId> expected(1 + a.size() - 3, 0);  // "baa", and what is left of the first run
  expected[0] = 6;
  for (const TokenId id : {5, 0, 5, 3, 2}) expected.push_back(id);
  CHECK(tokenizer.value()->encode(text).value() == expected);
}

TEST_CASE("an added token whose id stands for another text gets a new one") {
  const auto tokenizer = load_changed(R"({"id": 3, "content": "<s>", "special": true})",
                                      R"({"id": 1, "content": "<X>", "normalized": false},
                                         {"id": 2, "content": "a", "normalized": false},
                                         {"id": 3, "content": "<Y>", "normalized": false})");
  CHECK(tokenizer.value()->encode("a<X>b<Y>").value() == std::vector<TokenId>{0, 3, 1, 4});
  CHECK(tokenizer.value()->n_vocab() == 5);
}

TEST_CASE("what stands before the parts of words is short") {
  const auto with_prefix = [](size_t n) {
    return load_changed(
        R"("type": "BPE")",
        fmt::format(R"("type": "BPE", "continuing_subword_prefix": "{}")", std::string(n, '#')));
  };
  CHECK(with_prefix(64).has_value());
  CHECK(!with_prefix(65).has_value());
}

TEST_CASE("an expression that matches nothing is replaced between matches, not behind them") {
  const auto tokenizer =
      load_changed(kDecoder, R"({"type": "Replace", "pattern": {"Regex": "b*"}, "content": "-"})");
  CHECK(tokenizer.value()->decode(std::vector<TokenId>{2}).value() == "-a-");
  CHECK(tokenizer.value()->decode(std::vector<TokenId>{0}).value() == "-a-");
  CHECK(tokenizer.value()->decode(std::vector<TokenId>{1}).value() == "-");
}

TEST_CASE("an added token that the model has under another id is the model's") {
  const auto tokenizer = load_changed(R"("content": "<s>", "special": true)",
                                      R"("content": "b", "special": true, "normalized": false)");
  CHECK(tokenizer.value()->encode("abb").value() == std::vector<TokenId>{0, 1, 1});
  CHECK(tokenizer.value()->is_control(1));
}

TEST_CASE("merges before the vocabulary, and numbered tokens with holes, are read") {
  const auto holes = load_changed(R"("ab": 2)", R"("ab": 9)");
  REQUIRE(holes.has_value());
  CHECK((*holes)->n_vocab() == 10);
  CHECK(*(*holes)->encode("abb") == std::vector<TokenId>{9, 1});
  CHECK((*holes)->decode(std::vector<TokenId>{5}).value() == "");
  const auto turned = load_changed(R"("vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"])",
                                   R"("merges": [["a", "b"]], "vocab": {"a": 0, "b": 1, "ab": 2})");
  REQUIRE(turned.has_value());
  CHECK(*(*turned)->encode("ab<s>b") == std::vector<TokenId>{2, 3, 1});
}

TEST_CASE("tokenizer.model: broken ones are refused") {
  using namespace nibble::text;
  CHECK(!read_tiktoken("YQ== 0\nYg==\n").has_value());    // no rank
  CHECK(!read_tiktoken("YQ== 0\nYg== 2\n").has_value());  // a rank left out
  CHECK(!read_tiktoken("!!!! 0\n").has_value());          // no base64
  CHECK(!read_tiktoken("").has_value());
  CHECK(!read_sentencepiece("\n\x7f"
                            "abc")
             .has_value());  // a length beyond the end
  CHECK(!read_sentencepiece("\n\x03\x0a\x01"
                            "a\x0f")
             .has_value());  // a wire type that is none
  CHECK(!read_sentencepiece(std::string("\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12))
             .has_value());
  CHECK(!read_sentencepiece("").has_value());
}
