// Every recorded case of the chat-template kit: what jinja2 renders, and what it refuses.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "core/base/json.h"
#include "core/text/template/jinja.h"
#include "tests/test_data.h"

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

nibble::Json variables_of(const nibble::Json& input) {
  nibble::Json v = input.value("extra", nibble::Json::object());
  v["tools"] = nullptr;
  v["documents"] = nullptr;
  for (const auto& [key, value] : input.items())
    if (key != "extra" && key != "now") v[key] = value;
  if (input.contains("extra"))
    for (const auto& [key, value] : input["extra"].items()) v[key] = value;
  return v;
}

std::string one_line(const std::string& text) {
  std::istringstream words(text);
  std::string out, word;
  while (words >> word) out += word + " ";
  return out;
}

bool right(const nibble::Json& c, const nibble::Result<std::string>& out) {
  if (c.contains("expected")) return out && *out == c["expected"].get<std::string>();
  if (c.value("lenient", false)) return true;
  if (out) return false;
  if (c["error"]["kind"] != "raise") return true;
  return one_line(out.error().message).contains(one_line(c["error"]["message"].get<std::string>()));
}

}  // namespace

TEST_CASE("every recorded case of the chat templates renders as jinja2 does") {
  NIBBLE_NEED_DATA("chat-templates");
  int n_cases = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(nibble::tests::data_dir() / "chat-templates")) {
    if (entry.path().extension() != ".json") continue;
    const auto kit = nibble::Json::parse(read(entry.path()));
    const auto source = read(entry.path().parent_path() / kit["template"].get<std::string>());
    auto parsed = nibble::jinja::Template::parse(source);
    INFO(entry.path().filename().string());
    REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error().message));
    for (const auto& c : kit["cases"]) {
      const auto out = parsed->render(variables_of(c["input"]), 1767323045);
      INFO(c["name"].get<std::string>());
      const std::string shown = out ? *out : out.error().message;
      INFO(shown);
      CHECK(right(c, out));
      ++n_cases;
    }
  }
  CHECK(n_cases >= 1000);
}
