// Names that are undefined where a scope begins. jinja2 knows a scope's variables before it runs
// it: one that the scope sets before it asks for it, and that no scope around it knows, is
// undefined up to then, in loops and macros inside too, even where the caller of the template
// passes something of that name.
#pragma once

#include "core/text/template/tree.h"

namespace nibble::jinja {

// Fills in Block::unset.
void find_unset_names(Tree& tree);

}  // namespace nibble::jinja
