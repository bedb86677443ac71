// Writes the seeds of one fuzz target:  fuzz_seeds NAME FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/formats/checkpoint_bytes.h"
#include "tests/formats/gguf_bytes.h"

using namespace nibble::tests;
using namespace std::string_literals;

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

// An entry of a safetensors header.
std::string entry(std::string_view name, std::string_view type, std::string_view shape, int begin,
                  int end) {
  return "\"" + std::string(name) + R"(":{"dtype":")" + std::string(type) + R"(","shape":)" +
         std::string(shape) + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(end) + "]}";
}
// choice: the encoding, as safetensors_fuzz numbers them.
std::string tensors(char choice, const std::vector<std::string>& entries, size_t n_bytes) {
  std::string header = "{";
  for (const std::string& e : entries) header += (header.size() > 1 ? "," : "") + e;
  return choice + safetensors(header + "}", std::string(n_bytes, '\1'));
}

std::vector<std::string> safetensors_seeds() {
  return {
      tensors(0, {R"("__metadata__":{"format":"pt"})", entry("a", "F16", "[2,3]", 0, 12)}, 12),
      tensors(1,
              {entry("x.weight", "F8_E4M3", "[2,4]", 0, 8),
               entry("x.weight_scale", "F32", "[2,1]", 8, 16)},
              16),
      tensors(2,
              {entry("x.weight", "F8_E4M3", "[2,4]", 0, 8),
               entry("x.weight_scale_inv", "F32", "[1,2]", 8, 16)},
              16),
      tensors(3,
              {entry("x.weight_packed", "I32", "[1,2]", 0, 8),
               entry("x.weight_scale", "F16", "[1,2]", 8, 12),
               entry("x.weight_shape", "I64", "[2]", 12, 28)},
              28),
      tensors(5,
              {entry("x.qweight", "I32", "[1,8]", 0, 32), entry("x.qzeros", "I32", "[2,1]", 32, 40),
               entry("x.scales", "F16", "[2,8]", 40, 72), entry("x.g_idx", "I32", "[8]", 72, 104)},
              104),
      tensors(
          6,
          {entry("x.qweight", "I32", "[3,32]", 0, 384), entry("x.qzeros", "I32", "[1,3]", 384, 396),
           entry("x.scales", "F16", "[1,32]", 396, 460)},
          460),
      tensors(7,
              {entry("x.qweight", "I32", "[4,1]", 0, 16), entry("x.qzeros", "I32", "[1,1]", 16, 20),
               entry("x.scales", "F16", "[1,8]", 20, 36)},
              36),
      tensors(8,
              {entry("x_blocks", "U8", "[1,1,1,16]", 0, 16),
               entry("x_scales", "U8", "[1,1,1]", 16, 17)},
              17),
  };
}

std::vector<std::string> torch() {
  const std::string pickle = pickle_dict(
      torch_tensor("a.weight", torch_storage("FloatStorage", "0", 4), 0, {2, 2}, {2, 1}) +
      torch_tensor("b", torch_storage("HalfStorage", "1", 4), 1, {3}, {1}));
  const std::string one =
      pickle_dict(torch_tensor("a", torch_storage("FloatStorage", "0", 1), 0, {1}, {1}));
  return {'\0' + torch_file(pickle, {{"0", std::string(16, '\0')}, {"1", std::string(8, '\0')}}),
          '\0' + zip({{.name = "m/data.pkl", .content = one, .zip64 = true}}, {.zip64 = true}),
          '\1' + one, '\1' + pickle_dict(pickle_text("k") + pickle_ints({1, 2})),
          "\1\x80\4\x95\0\0\0\0\0\0\0\0]\x94(K\1M\2\3G\0\0\0\0\0\0\0\0\x88\x89Ne."s};
}

std::vector<std::string> regex() {
  return {R"(\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
          R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})",
          R"([a-z&&[^aeiou]]|[[:alpha:]\-x]|\x{1F600}|\u4e00{2,}+)",
          R"((?<=a)b|\bc\B|\h\H(?>d)*?$)", R"([^\W\d_]+|[\p{Lu}\p{Lt}]*(?=[0-9])|\A.\z)"};
}

std::vector<std::string> tokenizer() {
  const std::string head =
      R"({"added_tokens":[{"id":6,"content":"<s>","special":true,"lstrip":true}],"normalizer":)";
  const std::string bpe =
      R"("model":{"type":"BPE","unk_token":"c","byte_fallback":true,"vocab":{"a":0,"b":1,"ab":2,"c":3,"\u2581":4,"<0x0A>":5},"merges":["a b"]}})";
  return {
      head +
          R"(null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},"post_processor":null,"decoder":{"type":"ByteLevel"},)" +
          bpe,
      head +
          R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"String":" "},"content":"x"},{"type":"Prepend","prepend":"y"}]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{L}+"},"behavior":"Isolated","invert":false},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[6],"tokens":["<s>"]}}},"decoder":{"type":"Metaspace"},)" +
          bpe,
      R"({"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always"},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["a",-1.5],["\u2581a",-2]]}})",
      R"({"added_tokens":[],"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"Digits"},"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"[UNK]":0,"a":1,"##b":2}}})"};
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::vector<std::string> (*)()> all{
      {"gguf", gguf},          {"json", json},
      {"regex", regex},        {"safetensors", safetensors_seeds},
      {"torch", torch},        {"template", templates},
      {"tokenizer", tokenizer}};
  if (argc != 3 || !all.contains(argv[1])) return std::puts("fuzz_seeds NAME FOLDER"), 2;
  int n = 0;
  for (const std::string& seed : all.at(argv[1])()) {
    const auto path = std::filesystem::path(argv[2]) / std::to_string(n++);
    std::ofstream(path, std::ios::binary)
        .write(seed.data(), static_cast<std::streamsize>(seed.size()));
  }
  return 0;
}
