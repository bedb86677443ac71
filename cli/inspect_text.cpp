// The text views of `nibble inspect`: tokens both ways, chat prompts, the template.
#include <fmt/ranges.h>

#include "cli/input.h"
#include "cli/inspect.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

// The token ids of a JSON array.
Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  NIBBLE_TRY(const Json array, parse_json(text));
  if (!array.is_array()) return invalid_input("not a JSON array of token ids");
  std::vector<TokenId> ids;
  for (const Json& element : array) {
    if (!element.is_number_integer() || element < 0 || element > INT32_MAX)
      return invalid_input("element {} of the array is no token id", ids.size());
    ids.push_back(element.get<TokenId>());
  }
  return ids;
}

Result<std::string> need_template(const TextSource& source, bool with_tools) {
  NIBBLE_TRY(const auto own, find_chat_template(source, with_tools));
  if (!own) return invalid_input("{}: no chat template (a base model)", source.path.string());
  return *own;
}

Result<std::string> render(const std::string& path, const std::string& source,
                           const ChatRequest& request) {
  NIBBLE_TRY(const auto parsed, with_path(path, ChatTemplate::parse(source)));
  return with_path(path, parsed.render(request));
}

}  // namespace

Result<void> inspect_tokenize(const InspectOptions& options) {
  NIBBLE_TRY(const TextSource source, open_text_source(options.model));
  NIBBLE_TRY(const std::string text, read_text("-"));
  NIBBLE_TRY(const auto ids, source.tokenizer->encode(text, {.add_special = !options.no_special}));
  return write_out(fmt::format("[{}]\n", fmt::join(ids, ", ")));
}

// MODEL may be a template alone.
Result<void> inspect_render(const InspectOptions& options) {
  NIBBLE_TRY(const std::string json, read_text(options.render));
  NIBBLE_TRY(ChatRequest request, in_input(options.render, parse_chat_case(json)));
  std::string text;
  if (options.model && options.model->ends_with(".jinja")) {
    NIBBLE_TRY(const std::string source, read_text(*options.model));
    NIBBLE_TRY(text, render(*options.model, source, request));
  } else {
    NIBBLE_TRY(const TextSource source, open_text_source(options.model));
    NIBBLE_TRY(const std::string own, need_template(source, !request.tools.is_null()));
    add_token_texts(request, *source.tokenizer);
    NIBBLE_TRY(text, render(source.path.string(), own, request));
  }
  return write_out(options.json ? dump_json(Json(text)) + "\n" : text);
}

Result<void> inspect_template(const InspectOptions& options) {
  NIBBLE_TRY(const TextSource source, open_text_source(options.model));
  NIBBLE_TRY(const std::string own, need_template(source, false));
  return write_out(options.json ? dump_json(Json(own)) + "\n" : own);
}

Result<void> inspect_detokenize(const InspectOptions& options) {
  NIBBLE_TRY(const TextSource source, open_text_source(options.model));
  NIBBLE_TRY(const std::string input, read_text("-"));
  NIBBLE_TRY(const auto ids, in_input("-", parse_ids(input)));
  NIBBLE_TRY(const std::string text, source.tokenizer->decode(ids));
  return write_out(options.json ? dump_json(Json(text)) + "\n" : text);
}

}  // namespace nibble::cli
