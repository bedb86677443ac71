#include "cli/truncate.h"

#include "cli/output.h"

namespace nibble::cli {
namespace {

bool begins_character(const std::string& text, size_t at) {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

// About n bytes of text, fewer where a character would be cut.
std::string kept(const std::string& text, Truncate keep, size_t n) {
  if (keep == Truncate::kKeepHead) {
    while (n > 0 && !begins_character(text, n)) --n;
    return text.substr(0, n);
  }
  size_t at = text.size() - n;
  while (!begins_character(text, at)) ++at;
  return text.substr(at);
}

}  // namespace

Result<Prompt> longest_prompt(MakePrompt make, const std::string& text, Truncate keep,
                              size_t n_most) {
  NIBBLE_TRY(Prompt best, make(""));
  if (best.ids.size() > n_most)
    return fail(
        ErrorKind::kContextFull,
        "the prompt has {} tokens without your text, which leaves no room for it in {}; pass "
        "a larger -c",
        best.ids.size(), n_most);
  // Bytes: `fits` do, `too_long` do not.
  for (size_t fits = 0, too_long = text.size(); too_long - fits > 1;) {
    const size_t n = fits + (too_long - fits) / 2;
    NIBBLE_TRY(Prompt prompt, make(kept(text, keep, n)));
    if (prompt.ids.size() > n_most) {
      too_long = n;
    } else {
      fits = n;
      best = std::move(prompt);
    }
  }
  return best;
}

}  // namespace nibble::cli
