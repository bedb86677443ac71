#include "core/text/decoder.h"

#include "core/base/json.h"
#include "core/text/byte_level.h"
#include "core/text/fields.h"
#include "core/text/pattern.h"
#include "core/text/subword_model.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
using Tokens = std::vector<std::string>;

// Bytes of all tokens together, faults as U+FFFD.
class ByteLevel final : public Decoder {
 public:
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    std::string bytes, text;
    for (const std::string& token : tokens) append_byte_level_decoded(bytes, token);
    append_lossy(text, bytes);
    tokens = {std::move(text)};
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget&) const override {
    std::string bytes;
    append_byte_level_decoded(bytes, token);
    token = std::move(bytes);
    return {};
  }
};

// Each run of "<0xNN>" becomes its text, or one U+FFFD a byte when it is no UTF-8 as a whole.
class ByteFallback final : public Decoder {
 public:
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (valid_utf8_prefix(bytes) == bytes.size()) {
        if (!bytes.empty()) out.push_back(bytes);
      } else {
        for (size_t i = 0; i < bytes.size(); ++i) out.emplace_back(kReplacement);
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const int byte = byte_of_token(token); byte >= 0) {
        bytes += static_cast<char>(byte);
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    tokens = std::move(out);
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget&) const override {
    if (const int byte = byte_of_token(token); byte >= 0) token.assign(1, static_cast<char>(byte));
    return {};
  }
};

class Fuse final : public Decoder {
 public:
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {std::move(all)};
    return {};
  }
  Result<void> piece(std::string&, RegexScratch&, WorkBudget&) const override { return {}; }
};

class Strip final : public Decoder {
 public:
  Strip(std::string content, int64_t start, int64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    for (std::string& token : tokens) {
      for (int64_t i = 0; i < start_ && token.starts_with(content_); ++i)
        token.erase(0, content_.size());
      for (int64_t i = 0; i < stop_ && token.ends_with(content_); ++i)
        token.resize(token.size() - content_.size());
    }
    return {};
  }
  // The ends of a text are not here.
  Result<void> piece(std::string&, RegexScratch&, WorkBudget&) const override { return {}; }

 private:
  std::string content_;
  int64_t start_, stop_;
};

class Replace final : public Decoder {
 public:
  Replace(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Result<void> apply(Tokens& tokens, RegexScratch& scratch, WorkBudget& budget) const override {
    for (std::string& token : tokens)
      NIBBLE_CHECK(replace_all(pattern_, content_, token, scratch, budget));
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch& scratch, WorkBudget& budget) const override {
    if (valid_utf8_prefix(token) != token.size()) return {};
    return replace_all(pattern_, content_, token, scratch, budget);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

void replace_literal(std::string& text, std::string_view from, std::string_view to) {
  for (size_t i = 0; (i = text.find(from, i)) != std::string::npos; i += to.size())
    text.replace(i, from.size(), to);
}

class Metaspace final : public Decoder {
 public:
  Metaspace(std::string replacement, bool prepends)
      : replacement_(std::move(replacement)), prepends_(prepends) {}
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      replace_literal(tokens[i], replacement_, i == 0 && prepends_ ? "" : " ");
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget&) const override {
    replace_literal(token, replacement_, " ");
    return {};
  }

 private:
  std::string replacement_;
  bool prepends_;
};

class WordPiece final : public Decoder {
 public:
  WordPiece(std::string prefix, bool cleans) : prefix_(std::move(prefix)), cleans_(cleans) {}
  Result<void> apply(Tokens& tokens, RegexScratch& scratch, WorkBudget& budget) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0)
        NIBBLE_CHECK(piece(tokens[i], scratch, budget));
      else if (cleans_)
        clean(tokens[i]);
    }
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget& budget) const override {
    if (token.starts_with(prefix_))
      token.erase(0, prefix_.size());
    else
      token.insert(0, " ");
    if (cleans_) clean(token);
    return budget.spend(token.size());
  }

 private:
  static void clean(std::string& token) {
    static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kRules) replace_literal(token, from, to);
  }
  std::string prefix_;
  bool cleans_;
};

// A suffix that marks a word's end becomes a space, at the very end nothing.
class WordEnd final : public Decoder {
 public:
  explicit WordEnd(std::string suffix) : suffix_(std::move(suffix)) {}
  Result<void> apply(Tokens& tokens, RegexScratch&, WorkBudget&) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      replace_literal(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget&) const override {
    replace_literal(token, suffix_, " ");
    return {};
  }

 private:
  std::string suffix_;
};

// No decoder: a space between tokens.
class Spaces final : public Decoder {
 public:
  Result<void> apply(Tokens& tokens, RegexScratch& scratch, WorkBudget& budget) const override {
    for (size_t i = 1; i < tokens.size(); ++i) NIBBLE_CHECK(piece(tokens[i], scratch, budget));
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch&, WorkBudget& budget) const override {
    token.insert(0, " ");
    return budget.spend(token.size());
  }
};

class Sequence final : public Decoder {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Decoder>> parts) : parts_(std::move(parts)) {}
  Result<void> apply(Tokens& tokens, RegexScratch& scratch, WorkBudget& budget) const override {
    for (const auto& part : parts_) NIBBLE_CHECK(part->apply(tokens, scratch, budget));
    return {};
  }
  Result<void> piece(std::string& token, RegexScratch& scratch, WorkBudget& budget) const override {
    for (const auto& part : parts_) NIBBLE_CHECK(part->piece(token, scratch, budget));
    return {};
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

Result<std::unique_ptr<Decoder>> read_sequence(const Fields& fields) {
  NIBBLE_TRY(const Json* list, fields.need_array("decoders"));
  std::vector<std::unique_ptr<Decoder>> parts;
  for (const Json& item : *list) {
    if (item.is_null()) return corrupt("decoder Sequence: null among its decoders");
    NIBBLE_TRY(auto part, read_decoder(item));
    parts.push_back(std::move(part));
  }
  return std::make_unique<Sequence>(std::move(parts));
}

Result<std::unique_ptr<Decoder>> read_strip(const Fields& fields) {
  NIBBLE_TRY(std::string content, fields.need_string("content"));
  NIBBLE_TRY(const int64_t start, fields.integer("start", 0));
  NIBBLE_TRY(const int64_t stop, fields.integer("stop", 0));
  if (content.empty()) return corrupt("decoder Strip: 'content' is empty");
  return std::make_unique<Strip>(std::move(content), start, stop);
}

Result<std::unique_ptr<Decoder>> read_replace(const Fields& fields) {
  const Json* pattern = fields.find("pattern");
  if (!pattern) return corrupt("decoder Replace: 'pattern' is missing");
  NIBBLE_TRY(Pattern read, Pattern::read(*pattern, "decoder Replace"));
  NIBBLE_TRY(std::string content, fields.need_string("content"));
  return std::make_unique<Replace>(std::move(read), std::move(content));
}

Result<std::unique_ptr<Decoder>> read_metaspace(const Fields& fields) {
  NIBBLE_TRY(std::string replacement, fields.string("replacement", "\u2581"));
  NIBBLE_TRY(const bool prefix, fields.boolean("add_prefix_space", true));
  NIBBLE_TRY(const std::string scheme,
             fields.string("prepend_scheme", prefix ? "always" : "never"));
  if (!is_one_code_point(replacement))
    return corrupt("decoder Metaspace: 'replacement' is not one character");
  return std::make_unique<Metaspace>(std::move(replacement), scheme != "never");
}

Result<std::unique_ptr<Decoder>> read_word_piece(const Fields& fields) {
  NIBBLE_TRY(std::string prefix, fields.string("prefix", "##"));
  NIBBLE_TRY(const bool cleans, fields.boolean("cleanup", true));
  return std::make_unique<WordPiece>(std::move(prefix), cleans);
}

Result<std::unique_ptr<Decoder>> read_word_end(const Fields& fields) {
  NIBBLE_TRY(std::string suffix, fields.string("suffix", "</w>"));
  if (suffix.empty()) return corrupt("decoder BPEDecoder: 'suffix' is empty");
  return std::make_unique<WordEnd>(std::move(suffix));
}
}  // namespace

Result<std::unique_ptr<Decoder>> read_decoder(const Json& json) {
  if (json.is_null()) return std::make_unique<Spaces>();
  NIBBLE_TRY(const Fields fields, Fields::of(json, "decoder"));
  NIBBLE_TRY(const std::string_view type, fields.type());
  if (type == "Sequence") return read_sequence(fields);
  if (type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "Strip") return read_strip(fields);
  if (type == "Replace") return read_replace(fields);
  if (type == "Metaspace") return read_metaspace(fields);
  if (type == "WordPiece") return read_word_piece(fields);
  if (type == "BPEDecoder") return read_word_end(fields);
  return unsupported("decoder '{}' is not built in", type);
}

}  // namespace nibble::text
