// What a run leaves behind that ends while its files get their names: the first file of a model is
// named last, and only then does the journal beside it go.
#pragma once

#include <span>
#include <string_view>

#include "formats/gguf_write.h"

namespace nibble::gguf {

// Whether file i has its own name already, though the run ended before the journal was removed: a
// Writer that takes up hides it again, if the journal is of the same work.
bool was_named(std::span<const Shard> shards, size_t i);

// Gives files that were named their hidden names back, to be taken up. Those of complete work only
// where they begin as planned and the journal is of this subject and has all tensors.
void hide_named(std::span<const Shard> shards, size_t n_tensors, std::string_view subject);

// Removes a journal that is of no use any more: the files are complete.
void drop_stale_journal(std::span<const Shard> shards);

}  // namespace nibble::gguf
