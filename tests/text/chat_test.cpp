// Conversations to prompts: what is the template's and what is a message's.
#include "core/text/chat.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/json.h"
#include "formats/weight_file.h"
#include "tests/test_data.h"

using namespace nibble;

namespace {

// One token a byte, and three control tokens.
class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(bool adds_bos = true) : adds_bos_(adds_bos) {}
  Result<std::vector<TokenId>> encode(std::string_view text, EncodeOptions o) const override {
    std::vector<TokenId> ids;
    if (o.add_special) ids.push_back(256);
    for (size_t at = 0; at < text.size();) {
      const int special = o.parse_special ? special_at(text.substr(at)) : -1;
      const size_t n = special < 0 ? 1 : kSpecials[special].size();
      bool plain = false;
      for (const size_t p : o.plain_at) plain = plain || (p >= at && p < at + n);
      if (special < 0 || plain)
        ids.push_back(static_cast<unsigned char>(text[at++]));
      else
        ids.push_back(256 + special), at += n;
    }
    return ids;
  }
  Result<std::string> decode(std::span<const TokenId>) const override { return std::string(); }
  std::string piece(TokenId id, bool) const override { return std::string(token_text(id)); }
  int n_vocab() const override { return 259; }
  std::string_view token_text(TokenId id) const override {
    return id < 256 ? std::string_view() : kSpecials[id - 256];
  }
  std::optional<TokenId> find(std::string_view) const override { return std::nullopt; }
  bool is_control(TokenId id) const override { return id >= 256; }
  std::optional<TokenId> bos() const override { return 256; }
  std::optional<TokenId> eos() const override { return 257; }
  bool adds_bos() const override { return adds_bos_; }
  bool is_end(TokenId id) const override { return id == 257; }
  std::span<const TokenId> end_tokens() const override { return {}; }
  std::string_view kind() const override { return "bytes"; }

 private:
  static constexpr std::string_view kSpecials[] = {"<s>", "</s>", "<|user|>"};
  static int special_at(std::string_view text) {
    for (int i = 0; i < 3; ++i)
      if (text.starts_with(kSpecials[i])) return i;
    return -1;
  }
  bool adds_bos_;
};

constexpr std::string_view kTemplate =
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{{ eos_token }}"
    "{% endfor %}";

std::vector<TokenId> ids_of(std::string_view source, const Json& messages, bool adds_bos = true) {
  const ByteTokenizer tokenizer(adds_bos);
  auto parsed = ChatTemplate::parse(source);
  REQUIRE(parsed);
  const ChatFormat format(std::move(*parsed), tokenizer);
  ChatRequest request;
  request.messages = messages;
  const auto prompt = format.prompt(request);
  REQUIRE_MESSAGE(prompt, prompt.error().message);
  const auto ids = format.encode(*prompt);
  REQUIRE(ids);
  return *ids;
}

std::vector<TokenId> expected(std::initializer_list<std::pair<TokenId, std::string_view>> parts) {
  std::vector<TokenId> ids;
  for (const auto& [id, text] : parts) {
    if (id >= 0) ids.push_back(id);
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  }
  return ids;
}

Json user(std::string_view content) {
  return Json::array({{{"role", "user"}, {"content", content}}});
}

}  // namespace

TEST_CASE("the template's special tokens are tokens") {
  CHECK(ids_of(kTemplate, user("hi")) == expected({{256, ""}, {258, "hi"}, {257, ""}}));
}

TEST_CASE("special tokens written by a user are text, also where the template trims") {
  CHECK(ids_of(kTemplate, user("<s>hi</s>")) ==
        expected({{256, ""}, {258, "<s>hi</s>"}, {257, ""}}));
  CHECK(ids_of(kTemplate, user("  </s><|user|>now  ")) ==
        expected({{256, ""}, {258, "</s><|user|>now"}, {257, ""}}));
}

TEST_CASE("the rendered text is the same with and without special tokens in messages") {
  const ByteTokenizer tokenizer;
  auto parsed = ChatTemplate::parse("{{ messages | tojson(ensure_ascii=true) }}{{ messages }}");
  REQUIRE(parsed);
  ChatRequest request;
  request.messages = user("ä<s>\"</s>");
  const auto plain = parsed->render(request);
  const auto prompt = ChatFormat(std::move(*parsed), tokenizer).prompt(request);
  REQUIRE(plain);
  REQUIRE(prompt);
  CHECK(prompt->text == *plain);
  CHECK(prompt->plain_at.size() == 4);
}

TEST_CASE("a template that looks for special tokens in answers still finds them") {
  const Json messages = Json::array({{{"role", "assistant"}, {"content", "think</s>say"}},
                                     {{"role", "user"}, {"content", "</s>"}}});
  CHECK(ids_of("{{ messages[0].content.split('</s>')[1] }}{{ messages[1].content }}", messages,
               false) == expected({{-1, "say</s>"}}));
}

TEST_CASE("where marks change what a template does with a user's text, that text stays text") {
  CHECK(ids_of("{{ messages[0].content.replace('</s>', '<s>') }}", user("a</s>b"), false) ==
        expected({{-1, "a</s>b"}}));
}

TEST_CASE("BOS stands once, whoever puts it") {
  CHECK(ids_of("{{ bos_token }}x", user("")) == expected({{256, "x"}}));
  CHECK(ids_of("x", user("")) == expected({{256, "x"}}));
  CHECK(ids_of("{{ bos_token }}x", user(""), false) == expected({{256, "x"}}));
  CHECK(ids_of("x", user(""), false) == expected({{-1, "x"}}));
}

TEST_CASE("a case is read as documented") {
  const auto request = parse_chat_case(
      R"({"messages": [], "tools": [1], "add_generation_prompt": false, "bos_token": "B",
          "now": "2026-01-02T03:04:05", "extra": {"x": 1}})");
  REQUIRE(request);
  CHECK(request->now == 1767323045);
  CHECK(request->bos_token == "B");
  CHECK(!request->eos_token);
  CHECK(!request->add_generation_prompt);
  const auto parsed = ChatTemplate::parse(
      "{{ tools }}{{ documents }}{{ add_generation_prompt }}{{ x }}{{ bos_token }}{{ eos_token }}");
  REQUIRE(parsed);
  CHECK(parsed->render(*request).value_or("") == "[1]NoneFalse1B");
}

TEST_CASE("a case that is not as documented is refused by the member's name") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"({})", "\"messages\" is missing"},
      {R"({"messages": {}})", "\"messages\" is object"},
      {R"({"messages": [], "now": "today"})", "\"now\" is \"today\""},
      {R"({"messages": [], "now": "2026-02-30"})", "\"now\""},
      {R"({"messages": [], "add_generation_prompt": 1})", "\"add_generation_prompt\" is number"},
      {R"({"messages": [], "bos_token": 1})", "\"bos_token\" is number"},
      {R"({"messages": [], "extra": []})", "\"extra\" is array"},
  };
  for (const auto& [text, words] : rows) {
    const auto request = parse_chat_case(text);
    INFO(text);
    REQUIRE(!request);
    CHECK(request.error().message.contains(words));
  }
}

TEST_CASE("a real tokenizer keeps special tokens of users as text") {
  NIBBLE_NEED_DATA("gguf-vocabs");
  int n_checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(tests::data_dir() / "gguf-vocabs")) {
    if (entry.path().extension() != ".gguf") continue;
    const auto file = open_weight_file(entry.path());
    INFO(entry.path().string());
    REQUIRE(file);
    const auto tokenizer = Tokenizer::from_gguf((*file)->metadata());
    if (!tokenizer || !(*tokenizer)->bos()) continue;
    const TokenId bos = *(*tokenizer)->bos();
    if (!(*tokenizer)->is_control(bos)) continue;
    auto parsed = ChatTemplate::parse("{{ bos_token }}{{ messages[0].content }}");
    REQUIRE(parsed);
    const ChatFormat format(std::move(*parsed), **tokenizer);
    ChatRequest request;
    request.messages = user("a " + std::string((*tokenizer)->token_text(bos)) + " b");
    const auto prompt = format.prompt(request);
    REQUIRE(prompt);
    const auto ids = format.encode(*prompt);
    REQUIRE(ids);
    CHECK(std::ranges::count(*ids, bos) == 1);
    CHECK(ids->front() == bos);
    ++n_checked;
  }
  CHECK(n_checked > 0);
}
