// The template engine: any text as a template, rendered over one conversation with small budgets.
#include "core/base/json.h"
#include "core/text/template/jinja.h"

using namespace nibble;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Json variables = *parse_json(R"({
    "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi <b>"},
                 {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5]}}}]},
                 {"role": "tool", "content": [{"type": "text", "text": "ä"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"x": {"type": "array"}}}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})");
  const jinja::Budget budget{.steps = 50'000, .depth = 50, .output_bytes = 1 << 16};
  const auto parsed = jinja::Template::parse({reinterpret_cast<const char*>(data), size}, budget);
  if (parsed) (void)parsed->render(variables, 1'700'000'000);
  return 0;
}
