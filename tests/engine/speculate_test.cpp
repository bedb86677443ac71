// Speculation: several generated tokens at once are those of one at a time, whatever was guessed,
// and guesses are made while they pay.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/pipeline/session.h"
#include "tests/engine/memory_model.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kContext = 120;
constexpr int kVocabulary = 96;  // of the tiny models

// One letter or sign for each token; the last one ends a text.
class SignTokenizer final : public Tokenizer {
 public:
  Result<std::vector<TokenId>> encode(std::string_view, EncodeOptions) const override { return {}; }
  Result<std::string> decode(std::span<const TokenId>) const override { return ""; }
  std::string piece(TokenId id, bool) const override { return std::string(1, char(' ' + id % 90)); }
  int n_vocab() const override { return kVocabulary; }
  std::string_view token_text(TokenId) const override { return ""; }
  std::optional<TokenId> find(std::string_view) const override { return std::nullopt; }
  bool is_control(TokenId) const override { return false; }
  std::optional<TokenId> bos() const override { return std::nullopt; }
  std::optional<TokenId> eos() const override { return std::nullopt; }
  bool adds_bos() const override { return false; }
  bool is_end(TokenId id) const override { return id == kVocabulary - 1; }
  std::span<const TokenId> end_tokens() const override { return {}; }
  std::string_view kind() const override { return "signs"; }
};

std::vector<TokenId> some_tokens(int n, int salt = 5) {
  std::vector<TokenId> ids;
  for (int i = 0; i < n; ++i) ids.push_back((i * 37 + i * i * 11 + salt) % kVocabulary);
  return ids;
}

struct Tiny {
  MemoryModel file;
  Model model;
};
Tiny load(const Architecture& a, std::string_view config) {
  auto file = MemoryModel::create(a, config, "q8_0");
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  auto model = Model::load(*file);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
  return {std::move(*file), std::move(*model)};
}

Engine make_engine(const Model& model, ThreadPool& pool, int n_batch) {
  auto engine = Engine::create(model, pool, {.n_ctx = kContext, .n_batch = n_batch});
  REQUIRE_MESSAGE(engine.has_value(), (engine ? "" : engine.error().message));
  return std::move(*engine);
}

// Guesses from a script: what follows text, or never that, or nothing after an odd length.
class ScriptDrafter final : public Drafter {
 public:
  enum Kind { kRight, kWrong, kMixed };
  ScriptDrafter(std::vector<TokenId> whole, Kind kind) : whole_(std::move(whole)), kind_(kind) {}
  Result<void> draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) override {
    if (kind_ == kMixed && text.size() % 3 == 2) return {};
    for (size_t i = 0; i < size_t(n) && text.size() + i < whole_.size(); ++i) {
      const bool wrong = kind_ == kWrong || (kind_ == kMixed && (text.size() + i) % 4 == 3);
      out.push_back((whole_[text.size() + i] + wrong) % kVocabulary);
    }
    return {};
  }

 private:
  std::vector<TokenId> whole_;
  Kind kind_;
};

Answer answer(const Model& model, std::span<const TokenId> prompt, const SamplerSettings& settings,
              int n_batch, std::unique_ptr<Drafter> drafter) {
  ThreadPool pool(1);
  Engine engine = make_engine(model, pool, n_batch);
  const SignTokenizer tokenizer;
  Session session(tokenizer, engine, settings, kVocabulary, std::move(drafter));
  const auto prefill = [](int, int) { return true; };
  const auto token = [](TokenId, std::string_view) -> Result<bool> { return true; };
  auto done = session.answer(prompt, {.max_tokens = 40, .stops = {}, .ignore_eos = false},
                             {prefill, token});
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  CHECK(engine.n_past() == session.n_cached());
  return *done;
}

std::vector<TokenId> joined(std::vector<TokenId> a, const std::vector<TokenId>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// step(tokens of a plain run) for some prompts, greedy and drawn.
template <class Check>
void for_each_run(const Model& model, Check check) {
  for (const int n_prompt : {1, 9, 47}) {
    for (const float temperature : {0.0f, 1.5f}) {
      const SamplerSettings settings{
          .temperature = temperature, .repeat_penalty = 1.2f, .seed = uint64_t(n_prompt)};
      const auto prompt = some_tokens(n_prompt, n_prompt);
      const Answer plain = answer(model, prompt, settings, 16, nullptr);
      CHECK_FALSE(plain.speculation.has_value());
      check(prompt, settings, plain);
    }
  }
}

}  // namespace

TEST_CASE("after an interrupted prompt a session answers as a new one, windows or not") {
  const auto model = load(*find_architecture("gemma3"), find_architecture("gemma3")->tiny[0]);
  const SignTokenizer tokenizer;
  const auto long_prompt = some_tokens(kContext);
  auto next = std::vector(long_prompt.begin(), long_prompt.begin() + 100);
  next.push_back(7);
  const Answer want = answer(model.model, next, {.temperature = 2, .seed = 4}, 8, nullptr);
  for (int stop = 1; stop < 100; stop += 9) {
    CAPTURE(stop);
    ThreadPool pool(1);
    Engine engine = make_engine(model.model, pool, 8);
    Session session(tokenizer, engine, {.temperature = 2, .seed = 3}, kVocabulary);
    int left = 0;
    const auto prefill = [&](int, int) { return left-- > 0; };
    const auto token = [](TokenId, std::string_view) -> Result<bool> { return true; };
    const auto ask = [&](std::span<const TokenId> prompt, int patience) {
      left = patience;
      return *session.answer(prompt, {.max_tokens = 40, .stops = {}, .ignore_eos = false},
                             {prefill, token});
    };
    ask(std::span(long_prompt).first(20), 1000);
    CHECK(ask(long_prompt, stop).reason == EndReason::kInterrupted);
    CHECK(ask(next, 1000).ids == want.ids);
    CHECK(engine.n_past() >= int(next.size()));
  }
}

TEST_CASE("an interrupted prompt tells how far it came, and in what time") {
  const auto model = load(*find_architecture("llama"), find_architecture("llama")->tiny[0]);
  const SignTokenizer tokenizer;
  ThreadPool pool(1);
  Engine engine = make_engine(model.model, pool, 8);
  Session session(tokenizer, engine, {}, kVocabulary);
  const auto prefill = [](int done, int) { return done < 16; };
  const auto token = [](TokenId, std::string_view) -> Result<bool> { return true; };
  const auto stopped = session.answer(some_tokens(40), {}, {prefill, token});
  REQUIRE(stopped);
  CHECK(stopped->reason == EndReason::kInterrupted);
  CHECK(stopped->n_prompt == 40);
  CHECK(stopped->n_prefilled == 16);
  CHECK(stopped->prefill_s > 0);
}

TEST_CASE("several generated tokens at once are bit-equal to one at a time, in every family") {
  for (const Architecture* a : architectures()) {
    for (const std::string_view config : a->tiny) {
      INFO(a->gguf_name << " " << config);
      const Tiny tiny = load(*a, config);
      ThreadPool pool(2);
      Engine one = make_engine(tiny.model, pool, 1), many = make_engine(tiny.model, pool, 1);
      const auto text = some_tokens(kContext);
      REQUIRE(one.prefill(std::span(text).first(3)).has_value());
      REQUIRE(many.prefill(std::span(text).first(3)).has_value());
      bool equal = true;
      for (int at = 3; at < kContext;) {
        const int n = std::min(many.decode_room(), 1 + at % Engine::kMostDecoded);
        const int keep = 1 + at % n;  // the rest is taken back
        const auto rows = many.decode(std::span(text).subspan(at, n));
        REQUIRE(rows.has_value());
        std::vector<std::vector<float>> got;
        for (int i = 0; i < keep; ++i) got.emplace_back(rows->row(i), rows->row(i) + rows->cols);
        REQUIRE(many.rewind(at + keep).has_value());
        for (int i = 0; i < keep; ++i)
          equal &= std::ranges::equal(*one.decode(text[at + i]), got[i]);
        at += keep;
      }
      CHECK(equal);
    }
  }
}

TEST_CASE("answers are the same whatever is guessed, with windows and without") {
  for (const char* family : {"llama", "gemma3", "gpt-oss", "llama4", "phi3", "deepseek2"}) {
    const Architecture* a = find_architecture(family);
    REQUIRE(a);
    CAPTURE(family);
    const Tiny tiny = load(*a, a->tiny.back());
    for_each_run(tiny.model, [&](const auto& prompt, const auto& settings, const Answer& plain) {
      const auto whole = joined(prompt, plain.ids);
      for (const auto kind : {ScriptDrafter::kRight, ScriptDrafter::kWrong, ScriptDrafter::kMixed})
        for (const int n_batch : {1, 16}) {
          const Answer got = answer(tiny.model, prompt, settings, n_batch,
                                    std::make_unique<ScriptDrafter>(whole, kind));
          CHECK(got.ids == plain.ids);
          CHECK(got.text == plain.text);
          CHECK(got.reason == plain.reason);
          REQUIRE(got.speculation.has_value());
          if (plain.ids.size() < 12) continue;
          CHECK(got.speculation->n_drafted > 0);
          if (kind == ScriptDrafter::kWrong) CHECK(got.speculation->n_accepted == 0);
          if (kind == ScriptDrafter::kRight)
            CHECK(got.speculation->n_accepted == got.speculation->n_drafted);
        }
    });
  }
}

TEST_CASE("a draft model that is the model itself guesses right, another one changes nothing") {
  const Architecture& a = *find_architecture("llama");
  const Architecture& other = *find_architecture("qwen2");
  const Tiny tiny = load(a, a.tiny[0]), wrong = load(other, other.tiny[0]);
  ThreadPool pool(1);
  for_each_run(tiny.model, [&](const auto& prompt, const auto& settings, const Answer& plain) {
    for (const Model* draft : {&tiny.model, &wrong.model}) {
      Engine engine = make_engine(*draft, pool, 16);
      const Answer got = answer(tiny.model, prompt, settings, 16,
                                std::make_unique<ModelDrafter>(engine, kVocabulary));
      CHECK(got.ids == plain.ids);
    }
  });
  Engine engine = make_engine(tiny.model, pool, 16);
  ModelDrafter drafter(engine, kVocabulary);
  const auto prompt = some_tokens(30);
  std::vector<TokenId> guesses;
  REQUIRE(drafter.prepare(prompt).has_value());
  REQUIRE(drafter.draft(prompt, 5, guesses).has_value());
  const SamplerSettings greedy{.temperature = 0};
  const Answer plain = answer(tiny.model, prompt, greedy, 16, nullptr);
  CHECK(guesses.size() <= 5);  // fewer where it is not sure
  CHECK(std::ranges::equal(guesses, std::span(plain.ids).first(guesses.size())));
  REQUIRE(drafter.draft(some_tokens(31, 2), 5, guesses = {}).has_value());  // another text
  // Tokens that it does not know: no guess.
  ModelDrafter narrow(engine, 10);
  REQUIRE(narrow.draft(prompt, 5, guesses = {}).has_value());
  CHECK(guesses.empty());
}

TEST_CASE("lookup guesses what followed the last time, and nothing in a text without repeats") {
  LookupDrafter drafter;
  std::vector<TokenId> guesses;
  const auto guess = [&](const std::vector<TokenId>& text, int n) {
    guesses.clear();
    CHECK(drafter.draft(text, n, guesses).has_value());
    return guesses;
  };
  CHECK(guess({1, 2, 3, 4, 5}, 4).empty());
  CHECK(guess({1, 2, 3, 4, 5, 1, 2, 3}, 2) == std::vector<TokenId>{4, 5});
  CHECK(guess({1, 2, 3, 4, 5, 1, 2, 3, 9, 8, 2, 3}, 1) == std::vector<TokenId>{9});  // the latest
  CHECK(guess({7, 2, 3, 6, 1, 1, 2, 3, 5, 7, 2, 3}, 1) == std::vector<TokenId>{6});  // the longer
  CHECK(guess({8, 8, 8, 8}, 5) == std::vector<TokenId>{8, 8, 8, 8, 8});              // past the end
  CHECK(guess({1}, 4).empty());
}

namespace {

// Steps of a machine on which a token takes 10 ms, a guess `row` to run and `made` to make, and the
// share p of them is right. Returns how many of the last 100 tokens were guessed.
int guesses_late(double row, double made, double p) {
  DraftPacer pacer;
  int n_late = 0;
  double debt = 0;  // guesses that ought to have been right
  for (int token = 0; token < 600;) {
    const int n = pacer.n_draft(15);
    int right = 0;
    for (bool good = true; good && right < n; right += good) {
      debt += p;
      good = debt >= 1;
      debt -= good;
    }
    pacer.add({.tried = n > 0,
               .n_drafted = n,
               .n_accepted = right,
               .draft_s = n * made,
               .verify_s = 0.010 + n * row});
    if (token >= 500) n_late += n;
    token += 1 + right;
  }
  return n_late;
}

}  // namespace

TEST_CASE("guesses are made while they pay, seldom when not, and tried again") {
  CHECK(guesses_late(0.001, 0, 0.95) > 60);     // cheap and right
  CHECK(guesses_late(0.012, 0, 0.95) < 8);      // dearer than a token
  CHECK(guesses_late(0.001, 0.012, 0.95) < 8);  // made dearer than a token
  CHECK(guesses_late(0.002, 0, 0.05) < 8);      // wrong
  DraftPacer pacer;
  int n_tried = 0, n_drafted = 0;
  for (int i = 0; i < 2000; ++i) {
    const int n = pacer.n_draft(15);
    const bool good = i > 1000;  // the text begins to repeat itself
    n_tried += i < 1000 && n > 0;
    n_drafted += i > 1600 ? n : 0;
    pacer.add({.tried = n > 0,
               .n_drafted = n,
               .n_accepted = good ? n : 0,
               .draft_s = 0,
               .verify_s = 0.010 + n * 0.001});
  }
  CHECK(n_tried > 3);
  CHECK(n_tried < 30);
  CHECK(n_drafted > 1000);
}

TEST_CASE("a draft model that is never sure is asked seldom") {
  DraftPacer pacer;
  int n_asked = 0;
  for (int i = 0; i < 1000; ++i) {
    const int n = pacer.n_draft(15);
    n_asked += n > 0;
    pacer.add({.tried = n > 0,
               .n_drafted = 0,
               .n_accepted = 0,
               .draft_s = n > 0 ? 0.005 : 0,
               .verify_s = 0.010});
  }
  CHECK(n_asked > 3);
  CHECK(n_asked < 40);
}
