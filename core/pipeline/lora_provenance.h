// What the record of a merged model says of its adapters.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/models/lora.h"
#include "formats/metadata_draft.h"

namespace nibble {

// nibble.lora.files, nibble.lora.sha256: the files of all adapters that were merged last.
inline constexpr std::string_view kLoraFilesKey = "nibble.lora.files";
inline constexpr std::string_view kLoraHashesKey = "nibble.lora.sha256";

struct LoraProvenance {
  std::string command;  // "nibble convert IN -o OUT --lora FILE:0.8", without paths
  std::vector<std::string> files, hashes;
};

// Reads the adapters' files; go_on as hash_files() has it.
Result<LoraProvenance> lora_provenance(std::span<const LoraInput> adapters, ThreadPool& pool,
                                       FunctionRef<bool(uint64_t, uint64_t)> go_on);
void add_lora_keys(const LoraProvenance& lora, MetadataDraft& draft);

}  // namespace nibble
