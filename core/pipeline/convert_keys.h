// The keys under a family's own name in the GGUF file that convert makes of a folder: those that
// its configuration was read as, without what tensors or llama.cpp's defaults say already.
#pragma once

#include "core/models/architecture.h"
#include "formats/metadata_draft.h"

namespace nibble {

// config: as the family's read_config gives it; hparams: as it reads them from the folder.
void add_family_keys(const Metadata& config, const Hparams& hparams, MetadataDraft& out);

// Removes those keys of nibble's own without which a GGUF file of these tensors reads the same.
// gguf: its tensors. Fails as the family's read_hparams does.
Result<void> drop_needless_keys(const Architecture& family, const WeightFile& gguf,
                                MetadataDraft& out);

Metadata to_metadata(const MetadataDraft& draft);  // which must outlive it

}  // namespace nibble
