#include "core/licence/licences.h"

#include <algorithm>
#include <utility>

namespace nibble {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string normalized(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '_' && c != '-') out += lower(c);
  return out;
}

// "Meta-Llama3.1_8B" as " meta llama 3.1 8b ": a number behind letters is a word of its own.
std::string words(std::string_view text) {
  std::string out = " ";
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = lower(text[i]);
    const bool point =
        c == '.' && is_digit(out.back()) && i + 1 < text.size() && is_digit(text[i + 1]);
    if (is_digit(c) && is_letter(out.back())) out += ' ';
    if (is_letter(c) || is_digit(c) || point)
      out += c;
    else if (out.back() != ' ')
      out += ' ';
  }
  return out.back() == ' ' ? out : out + ' ';
}

// Calls found(part) for each part of "a|b|c" until it gives true.
template <class Found>
bool any_part(std::string_view parts, Found found) {
  while (!parts.empty()) {
    const size_t bar = std::min(parts.find('|'), parts.size());
    if (found(parts.substr(0, bar))) return true;
    parts.remove_prefix(std::min(bar + 1, parts.size()));
  }
  return false;
}

bool has_any(const std::string& text_words, std::string_view phrases) {
  return any_part(phrases,
                  [&](std::string_view phrase) { return text_words.contains(words(phrase)); });
}

std::string_view without_scheme(std::string_view url) {
  for (const std::string_view start : {"https://", "http://", "www."})
    if (url.starts_with(start)) url.remove_prefix(start.size());
  return url;
}

const Licence* row(std::string_view id) {
  const auto at = std::ranges::find(licences(), id, &Licence::id);
  return at == licences().end() ? nullptr : &*at;
}

bool says_something(const Licence* licence) {
  return licence && licence->commercial != CommercialUse::kUnknown;
}

// "mit, llama3.1": the strictest, where one that the table lacks is some other licence. nullptr:
// no list of ids.
const Licence* find_in_list(std::string_view value) {
  if (!value.contains(',')) return nullptr;
  const Licence* strictest = nullptr;
  while (!value.empty()) {
    const size_t end = std::min(value.find(','), value.size());
    std::string_view id = value.substr(0, end);
    id.remove_prefix(std::min(id.find_first_not_of(' '), id.size()));
    if (id.empty() || id.contains(' ')) return nullptr;
    const Licence* known = find_licence(id);
    if (!known) known = row("other");
    if (!strictest || known->commercial > strictest->commercial) strictest = known;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return strictest;
}

const Licence* find_by_link(std::string_view link) {
  const Licence* known = find_licence_in(link);
  return known ? known : find_family_licence(link);
}

void find_declared(const LicenceClaims& c, LicenceVerdict& out) {
  const Licence* value = find_licence(c.value);
  if (!value) value = find_in_list(c.value);
  const std::pair<const char*, const Licence*> claims[] = {
      {"value", says_something(value) ? value : nullptr},
      {"name", find_licence(c.name)},
      {"link", find_by_link(c.link)},
      {"text", find_licence_in(c.value)},
      {"text", find_licence_in(c.name)},
      {"value", value}};
  const auto* at = std::ranges::find_if(claims, [](const auto& claim) { return claim.second; });
  if (at == std::end(claims)) return;
  out.known_by = at->first;
  out.known = at->second;
}

struct Candidate {
  std::string from;
  const Licence* licence;
  bool usually;  // a name or an architecture tells less than a base model
};

std::vector<Candidate> candidates(const LicenceClaims& c) {
  std::vector<Candidate> out;
  const auto add = [&](std::string from, const Licence* licence, bool usually) {
    if (licence) out.push_back({std::move(from), licence, usually});
  };
  add("its licence name", find_licence(c.name), false);
  add("its licence link", find_by_link(c.link), false);
  for (const ModelOrigin& origin : c.origins)
    add(origin.relation + " " + origin.model, find_family_licence(origin.model), false);
  add("its name " + c.title, find_family_licence(c.title), true);
  for (const ArchitectureTerms& known : architecture_terms())
    if (known.architecture == c.architecture)
      add("architecture " + c.architecture, row(known.licence), true);
  return out;
}

// The licence that a maker, or one of the candidates, shows to be meant by the same value.
const Licence* refined(const Licence* known, const LicenceClaims& c,
                       std::span<const Candidate> others) {
  for (const Candidate& other : others)
    if (other.licence->refines == known->id) return other.licence;
  std::string makers = words(c.organization);
  for (const ModelOrigin& origin : c.origins) makers += words(origin.model);
  for (const MakerTerms& maker : maker_terms())
    if (has_any(makers, maker.words) && row(maker.licence)->refines == known->id)
      return row(maker.licence);
  return known;
}

}  // namespace

std::string_view to_string(CommercialUse use) {
  constexpr std::string_view kNames[] = {"yes", "with conditions", "unknown", "no"};
  return kNames[static_cast<size_t>(use)];
}

const Licence* find_licence(std::string_view value) {
  const std::string wanted = normalized(value);
  if (wanted.empty()) return nullptr;
  const auto same = [&](std::string_view spelling) { return normalized(spelling) == wanted; };
  for (const Licence& licence : licences())
    if (same(licence.id) || same(licence.name) || any_part(licence.aliases, same)) return &licence;
  return nullptr;
}

const Licence* find_licence_in(std::string_view text) {
  const std::string in = words(text);
  const Licence* first = nullptr;
  size_t at = in.npos, length = 0;
  for (const Licence& licence : licences()) {
    const auto look_for = [&](std::string_view phrase) {
      const std::string wanted = words(phrase);
      const size_t found = in.find(wanted);
      if (found < at || (found == at && found != in.npos && wanted.size() > length)) {
        first = &licence;
        at = found;
        length = wanted.size();
      }
      return false;
    };
    any_part(licence.phrases, look_for);
    look_for(without_scheme(licence.url));
  }
  return first;
}

const Licence* find_family_licence(std::string_view model) {
  const std::string in = words(model);
  for (const ModelFamily& family : model_families())
    if (has_any(in, family.words)) return row(family.licence);
  return nullptr;
}

bool LicenceVerdict::conflict() const { return std::ranges::any_of(others, &OtherTerms::conflict); }

LicenceVerdict judge(const LicenceClaims& claims) {
  LicenceVerdict out;
  find_declared(claims, out);
  const std::vector<Candidate> found = candidates(claims);
  out.stated = !claims.name.empty() || !claims.link.empty() ||
               (!claims.value.empty() && out.known != row("unknown"));
  if (!out.stated) {
    if (!found.empty()) out.others.push_back({found[0].from, found[0].licence, true, false});
    return out;
  }
  if (out.known) {
    out.known = refined(out.known, claims, found);
    out.commercial = out.known->commercial;
  }
  const CommercialUse declared = out.commercial;
  const bool comparable = declared != CommercialUse::kUnknown;
  for (const Candidate& c : found) {
    const bool stricter = c.licence->commercial > declared;
    const bool listed =
        std::ranges::find(out.others, c.licence, &OtherTerms::licence) != out.others.end();
    const bool open = c.licence->commercial == CommercialUse::kYes;
    if (c.licence == out.known || listed || open || (c.usually && comparable && !stricter))
      continue;
    out.others.push_back({c.from, c.licence, c.usually, stricter && comparable});
    out.commercial = std::max(out.commercial, c.licence->commercial);
  }
  return out;
}

}  // namespace nibble
