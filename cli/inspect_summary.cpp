// The summary of `nibble inspect MODEL`: gathered once, shown as text or as JSON.
#include <map>

#include "cli/inspect.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "cli/units.h"
#include "core/base/json.h"
#include "core/models/architecture.h"
#include "core/models/left_out.h"
#include "core/models/model.h"
#include "core/pipeline/licence_claims.h"
#include "core/text/tokenizer.h"

namespace nibble::cli {
namespace {

Json string_or_null(const Metadata& metadata, std::string_view key) {
  const auto* value = metadata.find(key);
  const auto* text = value ? std::get_if<std::string_view>(value) : nullptr;
  return text ? Json(*text) : Json(nullptr);
}

Json sizes(const Hparams& h) {
  Json out = {{"n_layer", h.n_layer},     {"n_embd", h.n_embd}, {"n_head", h.n_head},
              {"n_head_kv", h.n_head_kv}, {"d_head", h.d_k},    {"n_ff", h.n_ff}};
  if (h.moe.n_expert > 0) out["n_expert"] = h.moe.n_expert;
  if (h.moe.n_expert > 0) out["n_expert_used"] = h.moe.n_expert_used;
  if (h.window > 0) out["n_window"] = h.window;
  out["n_ctx_train"] = h.n_ctx_train;
  return out;
}

// Whether it runs here, and what is known when it does.
void add_model(Json& out, const WeightFile& file) {
  const auto model = Model::load(file);
  out["runs"] = model.has_value();
  if (!model) {
    out["runs_not_because"] = model.error().message;
    return;
  }
  out["architecture"] = model->architecture().gguf_name;
  out["sizes"] = sizes(model->hparams());
  out["left_out"] = left_out_tensors(file, *model);
}

Json types(const WeightFile& file) {
  struct Sum {
    uint64_t tensors = 0, weights = 0, bytes = 0;
    double bpw = 0;
  };
  std::map<std::string_view, Sum> sums;
  for (const TensorView& tensor : file.tensors()) {
    Sum& sum = sums[tensor.format->name];
    ++sum.tensors;
    sum.weights += static_cast<uint64_t>(tensor.shape.n_elements());
    sum.bytes += tensor.bytes.size();
    sum.bpw = tensor.format->bpw();
  }
  Json out = Json::array();
  for (const auto& [name, sum] : sums)
    out.push_back({{"type", name},
                   {"tensors", sum.tensors},
                   {"weights", sum.weights},
                   {"bits_per_weight", sum.bpw},
                   {"bytes", sum.bytes}});
  return out;
}

Json tokenizer_facts(const TextSource& source) {
  const Metadata& metadata = source.file->metadata();
  const auto tokenizer = read_tokenizer(source);
  if (!tokenizer) return {{"error", tokenizer.error().message}};
  const Tokenizer& t = **tokenizer;
  Json out = {{"kind", t.kind()},
              {"model", string_or_null(metadata, "tokenizer.ggml.model")},
              {"pre", string_or_null(metadata, "tokenizer.ggml.pre")},
              {"n_vocab", t.n_vocab()}};
  const auto named = [&](TokenId id) { return Json{{"id", id}, {"text", t.token_text(id)}}; };
  out["bos"] = t.bos() ? named(*t.bos()) : Json(nullptr);
  out["adds_bos"] = t.adds_bos();
  out["ends"] = Json::array();
  for (const TokenId id : t.end_tokens()) out["ends"].push_back(named(id));
  return out;
}

Json or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

Json licence_row(const Licence& licence) {
  return {{"id", licence.id},
          {"name", licence.name},
          {"spdx", or_null(licence.spdx)},
          {"commercial_use", to_string(licence.commercial)},
          {"terms", licence.terms},
          {"url", licence.url},
          {"as_of", kLicenceTableDate}};
}

Result<Json> licence_facts(const WeightFile& file) {
  NIBBLE_TRY(const FileClaims said, licence_claims(file));
  const LicenceVerdict verdict = judge(said.claims);
  Json out = {{"declared", or_null(said.claims.value)},
              {"from", or_null(said.where)},
              {"name", or_null(said.claims.name)},
              {"link", or_null(said.claims.link)},
              {"commercial_use", to_string(verdict.commercial)},
              {"conflict", verdict.conflict()}};
  if (verdict.known) {
    out["known"] = licence_row(*verdict.known);
    out["known"]["told_by"] = verdict.known_by;
  }
  out[verdict.stated ? "others" : "usual"] = Json::array();
  for (const OtherTerms& other : verdict.others)
    if (verdict.stated)
      out["others"].push_back({{"from", other.from},
                               {"usually", other.usually},
                               {"conflict", other.conflict},
                               {"licence", licence_row(*other.licence)}});
    else
      out["usual"].push_back({{"from", other.from}, {"name", other.licence->name}});
  return out;
}

void add_weights(Json& out, const WeightFile& file) {
  uint64_t n_params = 0, n_bytes = 0;
  for (const TensorView& tensor : file.tensors()) {
    n_params += static_cast<uint64_t>(tensor.shape.n_elements());
    n_bytes += tensor.bytes.size();
  }
  out["n_params"] = n_params;
  out["bits_per_weight"] =
      n_params ? 8.0 * static_cast<double>(n_bytes) / static_cast<double>(n_params) : 0.0;
  out["types"] = types(file);
}

Result<void> add_text(Json& out, const TextSource& source) {
  out["tokenizer"] = tokenizer_facts(source);
  NIBBLE_TRY(const auto chat, find_chat_template(source, false));
  out["chat_template_bytes"] = chat ? Json(chat->size()) : Json(nullptr);
  return {};
}

Result<Json> gather(const TextSource& source) {
  const WeightFile& file = *source.file;
  const Metadata& metadata = file.metadata();
  Json out;
  out["files"] = Json::array();
  for (const auto& path : file.files()) out["files"].push_back(path.string());
  out["container"] = file.container();
  out["bytes"] = file.n_bytes();
  out["name"] = string_or_null(metadata, "general.name");
  out["architecture"] = string_or_null(metadata, "general.architecture");
  out["sizes"] = Json::object();
  add_weights(out, file);
  NIBBLE_CHECK(add_text(out, source));
  NIBBLE_TRY(out["licence"], licence_facts(file));
  add_model(out, file);
  return out;
}

class Lines {
 public:
  template <class... Args>
  void add(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    text_ +=
        fmt::format("{:<14}{}\n", name, one_line(fmt::format(format, std::forward<Args>(args)...)));
  }
  void raw(std::string_view text) { text_ += text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : "not stated";
}

void add_tokenizer(Lines& lines, const Json& facts) {
  if (facts.contains("error"))
    return lines.add("tokenizer", "unusable: {}", text_of(facts["error"]));
  const auto named = [](const Json& token) {
    return fmt::format("{} ({})", token["text"].get<std::string>(), token["id"].get<int>());
  };
  std::string ends;
  for (const Json& token : facts["ends"]) ends += (ends.empty() ? "" : ", ") + named(token);
  lines.add("tokenizer", "{}, {} tokens{}", facts["kind"].get<std::string>(),
            facts["n_vocab"].get<int>(),
            facts["pre"].is_string() ? ", splits as " + facts["pre"].get<std::string>() : "");
  if (facts["bos"].is_object())
    lines.add("begins with", "{}{}", named(facts["bos"]),
              facts["adds_bos"].get<bool>() ? "" : ", not added by itself");
  lines.add("ends at", "{}", ends.empty() ? "no token" : ends);
}

void add_terms(Lines& lines, const Json& licence) {
  lines.add("", "{}", text_of(licence["terms"]));
  lines.add("", "{}", text_of(licence["url"]));
}

void add_other_terms(Lines& lines, const Json& other) {
  const bool conflict = other["conflict"].get<bool>(), usually = other["usually"].get<bool>();
  lines.add(conflict ? "conflict" : "and", "{}: {}{}{}{}", text_of(other["from"]),
            usually ? "such models usually carry: " : "", text_of(other["licence"]["name"]),
            conflict ? ", stricter than what is declared" : "",
            usually ? "" : "; a copy keeps its terms");
  add_terms(lines, other["licence"]);
}

void add_licence(Lines& lines, const Json& facts) {
  const Json none = Json::array(), usual = facts.value("usual", none);
  std::string declared = text_of(facts["declared"]);
  for (const char* key : {"name", "link"})
    if (facts[key].is_string()) declared += ", " + text_of(facts[key]);
  if (facts["from"].is_string()) declared += fmt::format(" ({})", text_of(facts["from"]));
  for (const Json& row : usual)
    declared += fmt::format("; models of this family usually carry: {} ({})", text_of(row["name"]),
                            text_of(row["from"]));
  lines.add("licence", "{}", declared);
  const auto known = facts.find("known");
  if (known != facts.end()) {
    const std::string by = text_of((*known)["told_by"]);
    lines.add("", "{}{}", text_of((*known)["name"]), by == "value" ? "" : ", told by its " + by);
    add_terms(lines, *known);
  }
  for (const Json& other : facts.value("others", none)) add_other_terms(lines, other);
  if (facts.contains("others"))
    lines.add("", "commercial use: {}", text_of(facts["commercial_use"]));
  lines.add("", "stated by the file's maker; terms from nibble's table of {}; no legal advice",
            kLicenceTableDate);
}

void add_files(Lines& lines, const Json& facts) {
  const auto& files = facts["files"];
  lines.add("file", "{}{} ({}, {})", text_of(files[0]),
            files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : "",
            text_of(facts["container"]), human_bytes(facts["bytes"].get<uint64_t>()));
}

void add_types(Lines& lines, const Json& types) {
  if (!types.empty())
    lines.raw(fmt::format("\n{:<8}{:>8}{:>12}{:>13}{:>12}\n", "type", "tensors", "weights",
                          "bits/weight", "bytes"));
  for (const Json& row : types)
    lines.raw(fmt::format(
        "{:<8}{:>8}{:>12}{:>13.4g}{:>12}\n", text_of(row["type"]), row["tensors"].get<uint64_t>(),
        human_count(row["weights"].get<uint64_t>()), row["bits_per_weight"].get<double>(),
        human_bytes(row["bytes"].get<uint64_t>())));
}

std::string to_text(const Json& facts) {
  Lines lines;
  add_files(lines, facts);
  lines.add("name", "{}", text_of(facts["name"]));
  lines.add("architecture", "{}", text_of(facts["architecture"]));
  std::string numbers;
  for (const auto& [name, value] : facts["sizes"].items())
    numbers += fmt::format("{}{} {}", numbers.empty() ? "" : ", ", name, dump_json(value));
  if (!numbers.empty()) lines.add("sizes", "{}", numbers);
  lines.add("parameters", "{}, {:.2f} bits per weight",
            human_count(facts["n_params"].get<uint64_t>()), facts["bits_per_weight"].get<double>());
  add_tokenizer(lines, facts["tokenizer"]);
  const Json& chat = facts["chat_template_bytes"];
  lines.add("chat template", "{}",
            chat.is_null() ? "none (a base model)"
                           : fmt::format("{} bytes (--template prints it)", chat.get<size_t>()));
  add_licence(lines, facts["licence"]);
  lines.add("runs here", "{}",
            facts["runs"].get<bool>() ? "yes" : "no: " + text_of(facts["runs_not_because"]));
  if (facts.contains("left_out") && !facts["left_out"].empty())
    lines.add("left out", "{} tensors that a text model has no use for, as {}",
              facts["left_out"].size(), text_of(facts["left_out"][0]));
  add_types(lines, facts["types"]);
  return lines.text();
}

}  // namespace

Result<void> inspect_summary(const TextSource& source, const InspectOptions& options) {
  NIBBLE_TRY(const Json facts, gather(source));
  if (options.json) return write_out(dump_json(facts, 1) + "\n");
  return write_out(to_text(facts));
}

}  // namespace nibble::cli
