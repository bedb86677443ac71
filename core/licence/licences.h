// What is known of model licences, and what that makes of what a model says of itself. Short facts
// for display, no legal advice: the licence's own text decides.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

enum class CommercialUse { kYes, kWithConditions, kUnknown, kNo };  // ever stricter
std::string_view to_string(CommercialUse use);

struct Licence {
  std::string_view id;  // as Hugging Face model cards write it
  std::string_view name;
  std::string_view spdx = {};  // empty: none on the SPDX list
  CommercialUse commercial;
  std::string_view terms;  // what a user or a distributor must not overlook
  std::string_view url;
  std::string_view aliases = {};  // further spellings, separated by '|'
  std::string_view phrases = {};  // words that its text or a link to it has and others lack, by '|'
  std::string_view refines = {};  // the licence that this one adds terms to under the same value
};

// Models under known terms, told by words that follow one another in a name or a link.
struct ModelFamily {
  std::string_view words;    // alternatives by '|'
  std::string_view licence;  // id; empty: no known terms, though a later row's words fit
};
// Architectures that only models under known terms have.
struct ArchitectureTerms {
  std::string_view architecture, licence;
};
// Makers who publish under a licence that refines another.
struct MakerTerms {
  std::string_view words, licence;
};

inline constexpr std::string_view kLicenceTableDate = "2026-11-21";

std::span<const Licence> licences();
std::span<const ModelFamily> model_families();  // the first that fits counts
std::span<const ArchitectureTerms> architecture_terms();
std::span<const MakerTerms> maker_terms();

// By id, SPDX id, name or alias; case, spaces, underscores and hyphens are ignored. nullptr: not in
// the table.
const Licence* find_licence(std::string_view value);
// The licence whose phrases stand first in a pasted text or a link.
const Licence* find_licence_in(std::string_view text);
// The licence of the family that a model's name or a link to it tells.
const Licence* find_family_licence(std::string_view model);

// A model that another was made from.
struct ModelOrigin {
  std::string relation;  // "base model"
  std::string model;     // its name, or a link to it
};
// What a model says of itself. Empty where it says nothing.
struct LicenceClaims {
  std::string value, name, link;
  std::string architecture, organization;
  std::vector<ModelOrigin> origins;
  std::string title;  // the model's own name
};

struct OtherTerms {
  std::string from;  // "base model Llama 3 8B"
  const Licence* licence;
  bool usually;   // what such models carry, as a name or an architecture tells; else what applies
  bool conflict;  // stricter than what is declared
};
struct LicenceVerdict {
  const Licence* known = nullptr;  // what is declared
  std::string known_by;            // which claim told it: "value", "name", "link" or "text"
  bool stated = false;             // whether anything is declared
  std::vector<OtherTerms>
      others;  // that apply besides; where nothing is declared, what usually does
  CommercialUse commercial = CommercialUse::kUnknown;  // the strictest of all that is declared

  bool conflict() const;
};
LicenceVerdict judge(const LicenceClaims& claims);

}  // namespace nibble
