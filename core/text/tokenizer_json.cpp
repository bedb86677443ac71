// See tokenizer_json.h. Format: the tokenizers library's serialization.
#include "core/text/tokenizer_json.h"

#include <algorithm>

#include "core/text/merge_list.h"

namespace nibble::text {
namespace {

Json added_json(const AddedToken& t) {
  return {{"id", t.id},          {"content", t.content}, {"single_word", t.single_word},
          {"lstrip", t.lstrip},  {"rstrip", t.rstrip},   {"normalized", t.normalized},
          {"special", t.special}};
}

class Writer {
 public:
  explicit Writer(const TokenizerSource& source) : s_(source), added_(source.added) {
    std::ranges::sort(added_, {}, &AddedToken::id);
  }

  Result<Json> write() {
    Json out = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
    out["added_tokens"] = Json::array();
    for (const AddedToken& t : added_) out["added_tokens"].push_back(added_json(t));
    for (const char* part : {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
      out[part] = member(s_.pipeline, part);
    complete(out["post_processor"]);
    NIBBLE_TRY(out["model"], model());
    return out;
  }

 private:
  static Json member(const Json& object, const char* name) {
    const auto at = object.find(name);
    return at == object.end() ? Json(nullptr) : *at;
  }

  // What the library demands of a template beside what nibble reads: one for two texts, and the
  // texts of special tokens.
  void complete(Json& post) const {
    if (!post.is_object() || post.value("type", Json()) != "TemplateProcessing") return;
    for (auto& [name, token] : post["special_tokens"].items()) {
      if (token.contains("tokens")) continue;
      token["tokens"] = Json::array();
      for (const Json& id : token["ids"])
        token["tokens"].push_back(std::string(s_.vocabulary->text(id.get<TokenId>())));
    }
    if (post.contains("pair")) return;
    Json pair = post["single"];
    for (Json piece : post["single"]) {
      for (auto& [kind, value] : piece.items()) {
        value["type_id"] = 1;
        if (kind == "Sequence") value["id"] = "B";
      }
      pair.push_back(std::move(piece));
    }
    post["pair"] = std::move(pair);
  }

  // The library numbers added tokens on from the model's: where they do not stand right behind
  // these, the model has to have them itself.
  int n_model() const {
    int next = s_.n_model;
    for (const AddedToken& t : added_)
      if (t.id >= s_.n_model && t.id != next++) return s_.vocabulary->size();
    return s_.n_model;
  }
  bool is_added(TokenId id) const {
    const auto at = std::ranges::lower_bound(added_, id, {}, &AddedToken::id);
    return at != added_.end() && at->id == id;
  }

  Json vocabulary(bool with_scores) const {
    Json out = with_scores ? Json::array() : Json::object();
    const int n = n_model();
    for (TokenId id = 0; id < n; ++id) {
      const std::string text(s_.vocabulary->text(id));
      if (with_scores)
        out.push_back({text, score(id)});
      else if (!text.empty() && (id < s_.n_model || is_added(id)))
        out[text] = id;
    }
    return out;
  }
  double score(TokenId id) const {
    const auto i = static_cast<size_t>(id);
    return i < s_.scores.size() ? s_.scores[i] : 0;
  }

  Json merges() const {
    Json out = Json::array();
    const auto list = s_.ranks.empty() ? merges_of(s_.merges, *s_.vocabulary)
                                       : merges_of_ranks(s_.ranks, *s_.vocabulary);
    for (const std::string& merge : list) {
      const size_t space = cut_of(merge);
      out.push_back({merge.substr(0, space), merge.substr(space + 1)});
    }
    return out;
  }
  // Where "left right" is to be cut: tokens may have spaces in them.
  size_t cut_of(std::string_view merge) const {
    size_t cut = merge.find(' ', 1);
    while (s_.vocabulary->find(merge.substr(0, cut)) == kNoToken ||
           s_.vocabulary->find(merge.substr(cut + 1)) == kNoToken) {
      const size_t next = merge.find(' ', cut + 1);
      if (next == merge.npos || next + 1 == merge.size()) break;
      cut = next;
    }
    return cut;
  }

  Result<Json> model() const {
    Json out = member(s_.pipeline, "model");
    if (!out.is_object()) out = Json::object();
    const Json type = out.value("type", Json("BPE"));
    out["type"] = type;
    if (type == "Unigram") {
      out["vocab"] = vocabulary(true);
      return out;
    }
    out["vocab"] = vocabulary(false);
    if (type == "BPE") out["merges"] = merges();
    if (type == "BPE" || type == "WordPiece") return out;
    return unsupported("a tokenizer whose model is {} cannot be written", dump_json(type));
  }

  const TokenizerSource& s_;
  std::vector<AddedToken> added_;  // by id
};

}  // namespace

Result<Json> tokenizer_json(const TokenizerSource& source) { return Writer(source).write(); }

}  // namespace nibble::text
