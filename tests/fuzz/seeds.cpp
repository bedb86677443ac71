// Writes the seeds of one fuzz target:  fuzz_seeds NAME FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/formats/gguf_bytes.h"

using nibble::tests::GgufBytes;

namespace {

std::vector<std::string> gguf() {
  GgufBytes keys(0, 8, 2);
  keys.key("a", 0).u8(1).key("b", 3).value(int16_t{-1}).key("c", 6).value(0.5f).key("d", 7).u8(1);
  keys.key_text("general.architecture", "llama").key("e", 12).value(2.0);
  keys.array("tokens", 8, 3).text("x").text("").text("yz").array("ids", 5, 2).u32(1).u32(2);
  GgufBytes tensors(3, 1);
  tensors.key_u32("general.alignment", 64).tensor("f", {4, 2}, 0, 0).tensor("q", {32, 2}, 8, 64);
  tensors.tensor("k", {256}, 12, 192).pad(64).zeros(192 + 144);
  GgufBytes split(1, 3);
  split.key("split.no", 2).value(uint16_t{0}).key("split.count", 2).value(uint16_t{2});
  split.key("split.tensors.count", 5).u32(2).tensor("t", {2, 2, 2, 2}, 1, 0).pad().zeros(32);
  return {keys, tensors, split, GgufBytes(0, 0)};
}

std::vector<std::string> json() {
  return {R"({"a": [1, -2, 3.5e-3, true, null], "b": {"c": "\u00e4\n\"\\"}})", "[[[[{}]]]]",
          "\"x\"", "18446744073709551616"};
}

std::vector<std::string> templates() {
  return {
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[{{ m['content'] | trim "
      "}}]{% elif loop.last %}x"
      "{% else %}{{ loop.index0 ~ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt "
      "%}A{% endif %}",
      "{%- macro f(x, y=1) -%}{{ x + y }}{%- endmacro -%}{{ f(2) }}{{ f(x=3, y=4) }}",
      "{% set ns = namespace(n=0) %}{% for t in tools %}{% set ns.n = ns.n + 1 %}{{ t | "
      "tojson(indent=2) }}{% endfor %}",
      "{{ raise_exception('no ' ~ messages | length) }}",
      "{{ messages[1:-1:2] }}{{ messages[::-1] | map(attribute='role') | join(', ') | upper }}",
      "{{ 'a' if x is defined and x is not none else 'b' }}{{ (1, 2, 3) | sum // 2 ** 3 % 5 }}",
      "{{ {'a': 1, 'b': [1, 2]}.items() | list }}{{ strftime_now('%d %b %Y') }}{# note #}",
      "{{ 'x,y'.split(',')[-1].startswith('y') }}{{ messages | selectattr('role', 'equalto', "
      "'user') | list }}",
      "{% for i in range(10) if i is odd %}{% if i > 5 %}{% break %}{% endif %}{% continue %}{% "
      "endfor %}",
      "{% filter upper %}a{% endfilter %}{% call(x) f() %}{{ x }}{% endcall %}{% raw %}{{ }}{% "
      "endraw %}",
  };
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::vector<std::string> (*)()> all{
      {"gguf", gguf}, {"json", json}, {"template", templates}};
  if (argc != 3 || !all.contains(argv[1])) return std::puts("fuzz_seeds NAME FOLDER"), 2;
  int n = 0;
  for (const std::string& seed : all.at(argv[1])()) {
    const auto path = std::filesystem::path(argv[2]) / std::to_string(n++);
    std::ofstream(path, std::ios::binary)
        .write(seed.data(), static_cast<std::streamsize>(seed.size()));
  }
  return 0;
}
