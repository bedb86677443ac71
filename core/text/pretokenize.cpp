#include "core/text/pretokenize.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/text/byte_level.h"
#include "core/text/fields.h"
#include "core/text/pattern.h"
#include "core/text/split_behavior.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
using Stage = PreTokenizer::Stage;
using Stages = std::vector<std::unique_ptr<Stage>>;

// The expression of the ByteLevel pre-tokenizer: GPT-2's.
constexpr std::string_view kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr size_t kMaxStages = 256;  // each is a call within the one before it

Piece part_of(const Piece& piece, size_t begin, size_t end) {
  return {piece.text.substr(begin, end - begin), piece.begins_text && begin == 0,
          piece.continues && begin == 0};
}

class Split final : public Stage {
 public:
  Split(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void split(const Piece& piece, std::string&, PreTokenizeScratch& scratch,
             PieceSink sink) const override {
    auto emit = [&](size_t begin, size_t end) { sink(part_of(piece, begin, end)); };
    SplitEmitter emitter(behavior_, invert_, emit);
    const std::string_view text = piece.text;
    size_t done = 0;
    bool any = false;
    Regex::Match m{};
    for (size_t from = 0; from <= text.size();) {
      const auto outcome = pattern_.find(text, from, scratch.regex, m);
      scratch.over_budget |= outcome == Regex::Outcome::kOverBudget;
      if (outcome != Regex::Outcome::kMatch) break;
      from = m.end;
      if (m.begin == m.end) {
        from += m.end < text.size() ? utf8_length(static_cast<unsigned char>(text[m.end])) : 1;
        if (any && m.begin == done) continue;  // an empty match right behind a match
      }
      any = true;
      if (m.begin > done) emitter.add(done, m.begin, false);
      emitter.add(m.begin, m.end, true);
      done = m.end;
    }
    if (done < text.size()) emitter.add(done, text.size(), false);
    emitter.finish();
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Splits at single code points that a predicate picks.
template <class Predicate>
class SplitAt final : public Stage {
 public:
  SplitAt(Predicate picks, SplitBehavior behavior) : picks_(picks), behavior_(behavior) {}

  void split(const Piece& piece, std::string&, PreTokenizeScratch&, PieceSink sink) const override {
    auto emit = [&](size_t begin, size_t end) { sink(part_of(piece, begin, end)); };
    SplitEmitter emitter(behavior_, false, emit);
    const std::string_view text = piece.text;
    size_t done = 0;
    for (size_t i = 0, next; i < text.size(); i = next) {
      next = i + utf8_length(static_cast<unsigned char>(text[i]));
      if (!picks_(decode_utf8(text.data() + i))) continue;
      if (i > done) emitter.add(done, i, false);
      emitter.add(i, next, true);
      done = next;
    }
    if (done < text.size()) emitter.add(done, text.size(), false);
    emitter.finish();
  }

 private:
  Predicate picks_;
  SplitBehavior behavior_;
};
template <class Predicate>
std::unique_ptr<Stage> split_at(Predicate picks, SplitBehavior behavior) {
  return std::make_unique<SplitAt<Predicate>>(picks, behavior);
}

// Words, and runs of what is neither word nor space; spaces go.
class Whitespace final : public Stage {
 public:
  void split(const Piece& piece, std::string&, PreTokenizeScratch&, PieceSink sink) const override {
    enum Kind { kSpace, kWord, kOther };
    const std::string_view text = piece.text;
    size_t begin = 0;
    Kind last = kSpace;
    for (size_t i = 0; i < text.size(); i += utf8_length(static_cast<unsigned char>(text[i]))) {
      const char32_t c = decode_utf8(text.data() + i);
      const Kind kind = is_word(c) ? kWord : is_space(c) ? kSpace : kOther;
      if (kind == last) continue;
      if (last != kSpace) sink(part_of(piece, begin, i));
      begin = i;
      last = kind;
    }
    if (last != kSpace) sink(part_of(piece, begin, text.size()));
  }
};

class PrefixSpace final : public Stage {
 public:
  void split(const Piece& piece, std::string& buffer, PreTokenizeScratch&,
             PieceSink sink) const override {
    if (piece.text.starts_with(' ') || piece.continues) return sink(piece);
    buffer = ' ';
    buffer += piece.text;
    sink({buffer, piece.begins_text});
  }
};

class MapBytes final : public Stage {
 public:
  void split(const Piece& piece, std::string& buffer, PreTokenizeScratch&,
             PieceSink sink) const override {
    buffer.clear();
    append_byte_level(buffer, piece.text);
    sink({buffer, piece.begins_text, piece.continues});
  }
};

class Metaspace final : public Stage {
 public:
  enum class Prepend { kAlways, kFirst, kNever };
  Metaspace(std::string replacement, Prepend prepend, bool splits)
      : replacement_(std::move(replacement)), prepend_(prepend), splits_(splits) {}

  void split(const Piece& piece, std::string& buffer, PreTokenizeScratch&,
             PieceSink sink) const override {
    buffer.clear();
    const bool wanted =
        prepend_ == Prepend::kAlways || (prepend_ == Prepend::kFirst && piece.begins_text);
    const bool has = piece.text.starts_with(' ') || piece.text.starts_with(replacement_);
    if (wanted && !has && !piece.continues) buffer += replacement_;
    for (const char c : piece.text) c == ' ' ? buffer += replacement_ : buffer += c;
    const Piece whole{buffer, piece.begins_text, piece.continues};
    if (!splits_) return sink(whole);
    auto emit = [&](size_t begin, size_t end) { sink(part_of(whole, begin, end)); };
    SplitEmitter emitter(SplitBehavior::kMergedWithNext, false, emit);
    size_t done = 0;
    for (size_t i; (i = buffer.find(replacement_, done)) != std::string::npos;) {
      if (i > done) emitter.add(done, i, false);
      done = i + replacement_.size();
      emitter.add(i, done, true);
    }
    if (done < buffer.size()) emitter.add(done, buffer.size(), false);
    emitter.finish();
  }

 private:
  std::string replacement_;
  Prepend prepend_;
  bool splits_;
};

Result<void> read_into(Stages& stages, const Json& json, int depth);

Result<void> read_sequence(Stages& stages, const Fields& fields, int depth) {
  NIBBLE_TRY(const Json* list, fields.need_array("pretokenizers"));
  for (const Json& item : *list) NIBBLE_CHECK(read_into(stages, item, depth + 1));
  return {};
}

Result<void> read_byte_level(Stages& stages, const Fields& fields) {
  NIBBLE_TRY(const bool prefix, fields.boolean("add_prefix_space", true));
  NIBBLE_TRY(const bool words, fields.boolean("use_regex", true));
  if (prefix) stages.push_back(std::make_unique<PrefixSpace>());
  if (words) {
    NIBBLE_TRY(Pattern pattern, Pattern::read(Json{{"Regex", kGpt2Words}}, "ByteLevel"));
    stages.push_back(std::make_unique<Split>(std::move(pattern), SplitBehavior::kIsolated, false));
  }
  stages.push_back(std::make_unique<MapBytes>());
  return {};
}

Result<void> read_split(Stages& stages, const Fields& fields) {
  const Json* pattern = fields.find("pattern");
  if (!pattern) return corrupt("pre-tokenizer Split: 'pattern' is missing");
  NIBBLE_TRY(Pattern read, Pattern::read(*pattern, "pre-tokenizer Split"));
  NIBBLE_TRY(const std::string name, fields.need_string("behavior"));
  NIBBLE_TRY(const SplitBehavior behavior, split_behavior(name));
  NIBBLE_TRY(const bool invert, fields.boolean("invert", false));
  stages.push_back(std::make_unique<Split>(std::move(read), behavior, invert));
  return {};
}

Result<void> read_metaspace(Stages& stages, const Fields& fields) {
  NIBBLE_TRY(std::string replacement, fields.string("replacement", "\u2581"));
  NIBBLE_TRY(const bool prefix, fields.boolean("add_prefix_space", true));
  NIBBLE_TRY(const std::string scheme,
             fields.string("prepend_scheme", prefix ? "always" : "never"));
  NIBBLE_TRY(const bool splits, fields.boolean("split", true));
  using Prepend = Metaspace::Prepend;
  if (scheme != "always" && scheme != "first" && scheme != "never")
    return unsupported("pre-tokenizer Metaspace: prepend_scheme '{}' is not built in", scheme);
  if (!is_one_code_point(replacement))
    return corrupt("pre-tokenizer Metaspace: 'replacement' is not one character");
  const Prepend prepend = scheme == "always"  ? Prepend::kAlways
                          : scheme == "first" ? Prepend::kFirst
                                              : Prepend::kNever;
  stages.push_back(std::make_unique<Metaspace>(std::move(replacement), prepend, splits));
  return {};
}

Result<void> read_digits(Stages& stages, const Fields& fields) {
  NIBBLE_TRY(const bool single, fields.boolean("individual_digits", false));
  stages.push_back(
      split_at(is_number, single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous));
  return {};
}

Result<void> read_punctuation(Stages& stages, const Fields& fields) {
  NIBBLE_TRY(const std::string name, fields.string("behavior", "Isolated"));
  NIBBLE_TRY(const SplitBehavior behavior, split_behavior(name));
  stages.push_back(split_at(is_punctuation, behavior));
  return {};
}

Result<void> read_delimiter(Stages& stages, const Fields& fields) {
  NIBBLE_TRY(const std::string delimiter, fields.need_string("delimiter"));
  if (delimiter.empty()) return corrupt("pre-tokenizer CharDelimiterSplit: 'delimiter' is empty");
  const char32_t wanted = decode_utf8(delimiter.data());
  stages.push_back(split_at([wanted](char32_t c) { return c == wanted; }, SplitBehavior::kRemoved));
  return {};
}

Result<void> read_into(Stages& stages, const Json& json, int depth) {
  NIBBLE_TRY(const Fields fields, Fields::of(json, "pre-tokenizer"));
  NIBBLE_TRY(const std::string_view type, fields.type());
  if (type == "Sequence" && depth < kMaxJsonDepth) return read_sequence(stages, fields, depth);
  if (type == "ByteLevel") return read_byte_level(stages, fields);
  if (type == "Split") return read_split(stages, fields);
  if (type == "Metaspace") return read_metaspace(stages, fields);
  if (type == "Digits") return read_digits(stages, fields);
  if (type == "Punctuation") return read_punctuation(stages, fields);
  if (type == "CharDelimiterSplit") return read_delimiter(stages, fields);
  if (type == "Whitespace") {
    stages.push_back(std::make_unique<Whitespace>());
  } else if (type == "WhitespaceSplit") {
    stages.push_back(split_at(is_space, SplitBehavior::kRemoved));
  } else if (type == "BertPreTokenizer") {
    stages.push_back(split_at(is_space, SplitBehavior::kRemoved));
    stages.push_back(split_at(is_punctuation, SplitBehavior::kIsolated));
  } else {
    return unsupported("pre-tokenizer '{}' is not built in", type);
  }
  return {};
}
}  // namespace

Result<PreTokenizer> PreTokenizer::read(const Json& json) {
  PreTokenizer out;
  if (json.is_null()) return out;
  NIBBLE_CHECK(read_into(out.stages_, json, 0));
  if (out.stages_.size() > kMaxStages)
    return unsupported("pre-tokenizer of {} steps, at most {} are read", out.stages_.size(),
                       kMaxStages);
  if (!out.stages_.empty() && dynamic_cast<const MapBytes*>(out.stages_.back().get())) {
    out.stages_.pop_back();
    out.maps_bytes_ = true;
  }
  return out;
}

void PreTokenizer::run(const Piece& piece, PreTokenizeScratch& scratch, PieceSink sink) const {
  scratch.buffers.resize(std::max(scratch.buffers.size(), stages_.size()));
  run_from(0, piece, scratch, sink);
}

void PreTokenizer::run_from(size_t stage, const Piece& piece, PreTokenizeScratch& scratch,
                            PieceSink sink) const {
  if (!scratch.budget.spend(piece.text.size())) {
    scratch.over_budget = true;
    return;
  }
  if (stage == stages_.size()) return sink(piece);
  auto next = [&](const Piece& part) { run_from(stage + 1, part, scratch, sink); };
  stages_[stage]->split(piece, scratch.buffers[stage], scratch, next);
}

}  // namespace nibble::text
