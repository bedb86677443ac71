#include "core/text/regex_classes.h"

#include <algorithm>
#include <array>
#include <utility>

namespace nibble::text {
namespace {
using Row = std::pair<std::string_view, std::string_view>;

// General categories by the names that files use, without case, space, '-' and '_'.
constexpr auto kCategories = std::to_array<Row>({
    {"l", "L"},
    {"letter", "L"},
    {"lu", "Lu"},
    {"uppercaseletter", "Lu"},
    {"ll", "Ll"},
    {"lowercaseletter", "Ll"},
    {"lt", "Lt"},
    {"titlecaseletter", "Lt"},
    {"lm", "Lm"},
    {"modifierletter", "Lm"},
    {"lo", "Lo"},
    {"otherletter", "Lo"},
    {"m", "M"},
    {"mark", "M"},
    {"mn", "Mn"},
    {"nonspacingmark", "Mn"},
    {"mc", "Mc"},
    {"spacingmark", "Mc"},
    {"me", "Me"},
    {"enclosingmark", "Me"},
    {"n", "N"},
    {"number", "N"},
    {"nd", "Nd"},
    {"decimalnumber", "Nd"},
    {"nl", "Nl"},
    {"letternumber", "Nl"},
    {"no", "No"},
    {"othernumber", "No"},
    {"p", "P"},
    {"punctuation", "P"},
    {"pc", "Pc"},
    {"connectorpunctuation", "Pc"},
    {"pd", "Pd"},
    {"dashpunctuation", "Pd"},
    {"ps", "Ps"},
    {"openpunctuation", "Ps"},
    {"pe", "Pe"},
    {"closepunctuation", "Pe"},
    {"pi", "Pi"},
    {"initialpunctuation", "Pi"},
    {"pf", "Pf"},
    {"finalpunctuation", "Pf"},
    {"po", "Po"},
    {"otherpunctuation", "Po"},
    {"s", "S"},
    {"symbol", "S"},
    {"sm", "Sm"},
    {"mathsymbol", "Sm"},
    {"sc", "Sc"},
    {"currencysymbol", "Sc"},
    {"sk", "Sk"},
    {"modifiersymbol", "Sk"},
    {"so", "So"},
    {"othersymbol", "So"},
    {"z", "Z"},
    {"separator", "Z"},
    {"zs", "Zs"},
    {"spaceseparator", "Zs"},
    {"zl", "Zl"},
    {"lineseparator", "Zl"},
    {"zp", "Zp"},
    {"paragraphseparator", "Zp"},
    {"cc", "Cc"},
    {"control", "Cc"},
    {"cf", "Cf"},
    {"format", "Cf"},
    {"co", "Co"},
    {"privateuse", "Co"},
    {"alphabetic", "Alphabetic"},
    {"alpha", "Alphabetic"},
    {"uppercase", "Uppercase"},
    {"upper", "Uppercase"},
    {"lowercase", "Lowercase"},
    {"lower", "Lowercase"},
    {"digit", "Nd"},
    {"ideographic", "Ideographic"},
    {"extendedpictographic", "Extended_Pictographic"},
});

// Scripts. A bare name means the Script property to Oniguruma and Script_Extensions to PCRE2.
constexpr auto kScripts = std::to_array<Row>({
    {"arabic", "Arabic"},
    {"armenian", "Armenian"},
    {"bengali", "Bengali"},
    {"bopomofo", "Bopomofo"},
    {"cherokee", "Cherokee"},
    {"common", "Common"},
    {"coptic", "Coptic"},
    {"cyrillic", "Cyrillic"},
    {"devanagari", "Devanagari"},
    {"ethiopic", "Ethiopic"},
    {"georgian", "Georgian"},
    {"greek", "Greek"},
    {"gujarati", "Gujarati"},
    {"gurmukhi", "Gurmukhi"},
    {"han", "Han"},
    {"hangul", "Hangul"},
    {"hebrew", "Hebrew"},
    {"hiragana", "Hiragana"},
    {"inherited", "Inherited"},
    {"javanese", "Javanese"},
    {"kannada", "Kannada"},
    {"katakana", "Katakana"},
    {"khmer", "Khmer"},
    {"lao", "Lao"},
    {"latin", "Latin"},
    {"malayalam", "Malayalam"},
    {"mongolian", "Mongolian"},
    {"myanmar", "Myanmar"},
    {"oriya", "Oriya"},
    {"sinhala", "Sinhala"},
    {"syriac", "Syriac"},
    {"tamil", "Tamil"},
    {"telugu", "Telugu"},
    {"thaana", "Thaana"},
    {"thai", "Thai"},
    {"tibetan", "Tibetan"},
    {"yi", "Yi"},
});

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_')
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

template <size_t n>
std::string_view lookup(const std::array<Row, n>& rows, std::string_view key) {
  const auto row = std::ranges::find(rows, key, &Row::first);
  return row == rows.end() ? std::string_view() : row->second;
}
}  // namespace

Result<std::string> property_items(std::string_view name, bool negated) {
  if (name.starts_with('^')) {
    name.remove_prefix(1);
    negated = !negated;
  }
  const std::string key = folded(name);
  const char letter = negated ? 'P' : 'p';
  if (const auto category = lookup(kCategories, key); !category.empty())
    return fmt::format("\\{}{{{}}}", letter, category);
  if (const auto script = lookup(kScripts, key); !script.empty())
    return fmt::format("\\{}{{sc:{}}}", letter, script);
  if (key == "any") return negated ? "" : R"(\x{0}-\x{10ffff})";
  if (key == "whitespace" || key == "space")
    return std::string(negated ? kNotSpaceItems : kSpaceItems);
  return unsupported("property '\\p{{{}}}' is not known", name);
}

Result<std::string> posix_items(std::string_view name, bool negated) {
  if (name == "alnum" && !negated) return R"(\p{Alphabetic}\p{Nd})";
  if (name == "word" && !negated) return std::string(kWordItems);
  if (name == "xdigit" && !negated) return std::string(kHexItems);
  if (name == "cntrl") return property_items("Cc", negated);
  for (const std::string_view known : {"alpha", "digit", "lower", "upper", "space"})
    if (name == known) return property_items(name, negated);
  return unsupported("bracket '[:{}{}:]' is not known", negated ? "^" : "", name);
}

}  // namespace nibble::text
