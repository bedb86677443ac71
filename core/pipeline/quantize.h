// Quantizes a model: which tensor gets which format, how large the files will be, and the work
// itself. One pass over the source makes any number of outputs.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/pipeline/imatrix.h"
#include "core/pipeline/lora_provenance.h"
#include "core/pipeline/recode.h"
#include "formats/gguf_write.h"
#include "formats/metadata_draft.h"
#include "formats/weight_file.h"
#include "quant/recipe.h"

namespace nibble {

// A mix made for one model.
struct FittedMix {
  std::vector<quant::Choice> choices;  // of the source's tensors
  std::string recipe;                  // for the record
  uint32_t file_type = 0;              // general.file_type of the format that takes most bytes
};

struct QuantizeTarget {
  std::filesystem::path path;
  const quant::Mix* mix = nullptr;  // null: fitted, or every tensor as it is stored
  std::shared_ptr<const FittedMix> fitted = nullptr;

  std::string_view type() const;  // "q4_k_m", "--size 6GiB", "as stored"
};

struct QuantizeOptions {
  std::vector<QuantizeTarget> targets;
  std::vector<quant::Override> overrides;
  const Imatrix* imatrix = nullptr;
  bool importance_follows = false;  // plan as if there were an imatrix with all that is needed
  uint64_t max_shard_bytes = 0;     // 0: one file each
  bool no_fallback = false;         // a format whose block does not divide the rows is an error
  bool from_quantized = false;      // tensors that are quantized already may be quantized again
  std::optional<LoraProvenance> lora = std::nullopt;  // of adapters merged into the source
};

// What is going to be written to one target.
struct QuantizePlan {
  QuantizeTarget target;
  MetadataDraft metadata;
  std::vector<gguf::TensorPlan> tensors;  // in the source's order
  std::vector<quant::Choice> choices;
  std::vector<gguf::Shard> shards;

  uint64_t n_bytes() const;  // of all files
  double bpw() const;        // bits of tensor data for each weight
};

// Everything that the source says before work starts. source, as open_as_gguf() gives it, must
// outlive the plans. Fails with kUsage (an override that matches nothing), kInvalidInput (a
// fallback under no_fallback, a quantized source, no importance where a format needs it),
// kUnsupported.
Result<std::vector<QuantizePlan>> plan_quantize(const WeightFile& source,
                                                const QuantizeOptions& options);

// Whether the targets can be written at all: nothing stands in their place (kUsage) unless
// overwrite, their folders take files and their file systems have the space (kOutput). resume: what
// an interrupted run left there is no hindrance.
Result<void> check_targets(std::span<const QuantizePlan> plans, bool overwrite, bool resume);

// Of the tensors that a plan encodes, those that an imatrix knows.
struct Coverage {
  int n_tensors = 0;
  std::vector<std::string> without_data;
  int64_t n_experts = 0, n_experts_seen = 0;  // matrices of stacked tensors that have data
};
Coverage coverage_of(const QuantizePlan& plan, const Imatrix& imatrix);

struct QuantizeRun {
  bool overwrite = false;
  bool measure_errors = false;
  bool clamp = false;                       // see RecodeOptions
  int64_t batch_weights = 4 * 1024 * 1024;  // see RecodeOptions
  bool resume = false;  // takes up what an interrupted run left, and leaves such things itself
  FunctionRef<bool(uint64_t, uint64_t)> go_on;  // see RecodeOptions
};
// Writes the targets, whole or not at all: each under a hidden name beside it until all are
// complete, with a journal of what is done. The bytes are the same however often the work was
// interrupted.
Result<RecodeResult> quantize(WeightFile& source, std::span<QuantizePlan> plans,
                              const Imatrix* imatrix, ThreadPool& pool, const QuantizeRun& run);

}  // namespace nibble
