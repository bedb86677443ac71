// What a model file says of its licence, and what is known of that licence. Short facts for
// display, no legal advice: the licence's own text decides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "formats/metadata.h"

namespace nibble {

enum class CommercialUse { kYes, kWithConditions, kNo, kUnknown };
std::string_view to_string(CommercialUse use);

struct Licence {
  std::string_view id;  // as Hugging Face model cards write it
  std::string_view name;
  std::string_view spdx;  // empty: none on the SPDX list
  CommercialUse commercial;
  std::string_view terms;  // what a user or a distributor must not overlook
  std::string_view url;
  std::string_view aliases;  // further spellings, separated by '|'
};

inline constexpr std::string_view kLicenceTableDate = "2026-11-21";

std::span<const Licence> licences();
// By id, SPDX id, name or alias; case, spaces, underscores and hyphens are ignored. nullptr: not in
// the table.
const Licence* find_licence(std::string_view value);

// As the file declares it. Empty strings where it says nothing.
struct DeclaredLicence {
  std::string value;               // general.license
  std::string name;                // general.license.name
  std::string link;                // general.license.link
  const Licence* known = nullptr;  // the table's row for it
  std::string_view
      family_terms;  // nothing declared: what models of this family usually carry, or empty
};
Result<DeclaredLicence> declared_licence(const Metadata& metadata);

}  // namespace nibble
