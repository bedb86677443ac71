// The text views of `nibble inspect`: tokens both ways, chat prompts, the template.
#include <fmt/ranges.h>

#include "cli/input.h"
#include "cli/inspect.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

// The token ids of a JSON array.
Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  NIBBLE_TRY(const Json array, parse_json(text));
  if (!array.is_array()) return invalid_input("standard input: not a JSON array of token ids");
  std::vector<TokenId> ids;
  for (const Json& element : array) {
    if (!element.is_number_integer() || element < 0 || element > INT32_MAX)
      return invalid_input("standard input: element {} of the array is no token id", ids.size());
    ids.push_back(element.get<TokenId>());
  }
  return ids;
}

}  // namespace

Result<void> inspect_tokenize(const InspectOptions& options) {
  NIBBLE_TRY(const TextSource source, open_text_source(options.model));
  NIBBLE_TRY(const std::string text, read_text("-"));
  NIBBLE_TRY(const auto ids, source.tokenizer->encode(text, {.add_special = !options.no_special}));
  return write_out(fmt::format("[{}]\n", fmt::join(ids, ", ")));
}

Result<void> inspect_detokenize(const InspectOptions& options) {
  NIBBLE_TRY(const TextSource source, open_text_source(options.model));
  NIBBLE_TRY(const std::string input, read_text("-"));
  NIBBLE_TRY(const auto ids, parse_ids(input));
  NIBBLE_TRY(const std::string text, source.tokenizer->decode(ids));
  return write_out(options.json ? dump_json(Json(text)) + "\n" : text);
}

}  // namespace nibble::cli
