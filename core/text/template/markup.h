// HTML in strings: what |escape makes of them.
#pragma once

#include <string>
#include <string_view>

namespace nibble::jinja {

std::string escape(std::string_view text);  // & < > ' "
std::string unescape_html(std::string_view text);
std::string strip_tags(std::string_view text);
// Percent-encoding; for_query: "/" too, and "+" for a space.
std::string url_quote(std::string_view text, bool for_query);

}  // namespace nibble::jinja
