#include "core/text/template/markup.h"

#include <fmt/format.h>

#include "core/text/template/characters.h"
#include "core/text/template/numbers.h"
#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

struct Entity {
  std::string_view name, text;
};
constexpr Entity kEntities[] = {{"amp", "&"},   {"lt", "<"},   {"gt", ">"},
                                {"quot", "\""}, {"apos", "'"}, {"nbsp", "\u00A0"}};

// The character that &#39; or &#x27; stands for; empty when it is none.
std::string numeric_entity(std::string_view digits) {
  const bool hex = digits.starts_with('x') || digits.starts_with('X');
  const auto code = parse_integer(digits.substr(hex), hex ? 16 : 10);
  std::string out;
  if (code && *code > 0 && *code <= 0x10FFFF) text::append_utf8(out, char32_t(*code));
  return out;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string unescape_html(std::string_view text) {
  constexpr size_t kLongest = 10;
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t end = text[at] == '&' ? text.substr(0, at + kLongest).find(';', at) : text.npos;
    std::string plain;
    if (end != text.npos) {
      const std::string_view name = text.substr(at + 1, end - at - 1);
      for (const Entity& e : kEntities)
        if (e.name == name) plain = e.text;
      if (name.starts_with('#')) plain = numeric_entity(name.substr(1));
    }
    if (plain.empty()) {
      out += text[at];
    } else {
      out += plain;
      at = end;
    }
  }
  return out;
}

std::string strip_tags(std::string_view text) {
  std::string bare;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '<') {
      bare += text[at++];
      continue;
    }
    const bool comment = text.substr(at).starts_with("<!--");
    const size_t end = comment ? text.find("-->", at) : text.find('>', at);
    if (end == text.npos) {
      bare += text.substr(at);
      break;
    }
    at = end + (comment ? 3 : 1);
  }
  std::string out;
  for (size_t at = 0; at < bare.size(); at += char_bytes(bare, at)) {
    const bool space = is_space(char_at(bare, at));
    if (!space)
      out += std::string_view(bare).substr(at, char_bytes(bare, at));
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return unescape_html(out);
}

std::string url_quote(std::string_view text, bool for_query) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !for_query);
    if (plain)
      out += c;
    else if (c == ' ' && for_query)
      out += '+';
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", uint8_t(c));
  }
  return out;
}

}  // namespace nibble::jinja
