// What a GGUF file's metadata, or a folder's model card, say of a model's licence and origin.
#pragma once

#include "core/base/error.h"
#include "core/licence/licences.h"
#include "formats/weight_file.h"

namespace nibble {

struct FileClaims {
  LicenceClaims claims;
  std::string_view where;  // that the licence's value stands; empty: nothing is declared
};
// Fails (kCorrupt) where a key has another type than it must.
Result<FileClaims> licence_claims(const WeightFile& file);

}  // namespace nibble
