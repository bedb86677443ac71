// What goes before and after the writing of a converted model.
#pragma once

#include "cli/lora.h"
#include "cli/rewrite.h"
#include "core/base/json.h"
#include "core/pipeline/convert.h"

namespace nibble::cli {

// Merges adapters into the source's weights; nullopt: there are none.
Result<std::optional<LoraProvenance>> merge_lora(const RewriteOptions& options,
                                                 const LoraFiles& adapters, GgufSource& source);
// Tells on standard error what a conversion leaves out.
void tell_notes(const ConvertNotes& notes);
// Notes the hashes of the source's files, where it is a folder; seconds: what that took.
Result<void> hash_sources(const RewriteOptions& options, const GgufSource& source, double& seconds);
// Reads the outputs back. text: "OUT: 0 mismatches", or the first ones: the program then ends
// with 1.
struct VerifyReport {
  Json json = Json::array();
  std::string text;
};
Result<VerifyReport> verify_outputs(const RewriteOptions& options, const GgufSource& source,
                                    std::span<const QuantizePlan> plans,
                                    const RecodeResult& result);

}  // namespace nibble::cli
