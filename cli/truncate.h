// Makes a prompt that is too long fit, where --truncate asks for it.
#pragma once

#include <string>

#include "cli/prompt.h"
#include "core/base/function_ref.h"

namespace nibble::cli {

enum class Truncate { kKeepHead, kKeepTail };

// The longest beginning (or end) of text, in whole characters, whose prompt has at most n_most
// tokens. make: the prompt of a text. Fails with kContextFull when even that of no text is longer.
using MakePrompt = FunctionRef<Result<Prompt>(const std::string& text)>;
Result<Prompt> longest_prompt(MakePrompt make, const std::string& text, Truncate keep,
                              size_t n_most);

}  // namespace nibble::cli
