// A text edited in the user's own editor.
#pragma once

#include <string>

#include "core/base/error.h"

namespace nibble::cli {

// What $VISUAL, or else $EDITOR, leaves of text, without last newlines. The command is run by
// /bin/sh with the name of a temporary file behind it, as git does. Fails with kUsage when neither
// is set, kInvalidInput when the editor fails.
Result<std::string> edit_externally(const std::string& text);

}  // namespace nibble::cli
