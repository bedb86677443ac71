#include "cli/sizes.h"

#include <cctype>
#include <charconv>

namespace nibble::cli {

Result<uint64_t> parse_bytes(std::string_view option, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const auto refused = [&] {
    return fail(ErrorKind::kUsage, "{}: expected a size as 6GiB, 500M or 4096, not '{}'", option,
                text);
  };
  if (error != std::errc{} || !(value > 0)) return refused();
  double factor = 1;
  constexpr std::string_view kPrefixes = "kmgt";
  if (!unit.empty() && std::tolower(static_cast<unsigned char>(unit[0])) != 'b') {
    const auto power =
        kPrefixes.find(static_cast<char>(std::tolower(static_cast<unsigned char>(unit[0]))));
    if (power == std::string_view::npos) return refused();
    unit.remove_prefix(1);
    const bool binary = unit.starts_with('i');
    if (binary) unit.remove_prefix(1);
    for (size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  }
  if (!unit.empty() && unit != "b" && unit != "B") return refused();
  if (value * factor >= 0x1p62 || value * factor < 1) return refused();
  return static_cast<uint64_t>(value * factor);
}

}  // namespace nibble::cli
