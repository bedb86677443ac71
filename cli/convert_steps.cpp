#include "cli/convert_steps.h"

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/base/json.h"
#include "core/models/merged_file.h"
#include "core/pipeline/verify.h"

namespace nibble::cli {
namespace {

Result<std::unique_ptr<Tokenizer>> source_tokenizer(const GgufSource& source) {
  return source.converted ? Tokenizer::from_folder(source.path)
                          : Tokenizer::from_gguf(source.file->metadata());
}

Result<void> verify_hparams_of(const GgufSource& source, const WeightFile& written,
                               Verification& out) {
  if (!source.converted) return verify_hparams(*source.file, written, out);
  NIBBLE_TRY(const auto folder, open_weight_file(source.path));
  return verify_hparams(*folder, written, out);
}

Result<Verification> verify_one(const GgufSource& source, const QuantizePlan& plan,
                                std::span<const std::string> digests, ThreadPool& pool) {
  NIBBLE_TRY(const auto written, open_weight_file(plan.shards.front().path));
  Verification out;
  NIBBLE_CHECK(verify_hparams_of(source, *written, out));
  if (source.notes.has_tokenizer && written->metadata().find("tokenizer.ggml.model")) {
    NIBBLE_TRY(const auto before, source_tokenizer(source));
    NIBBLE_TRY(const auto after, Tokenizer::from_gguf(written->metadata()));
    verify_tokenizer(*before, *after, out);
  }
  std::vector<std::string> names;
  for (const auto& t : plan.tensors) names.push_back(t.name);
  Progress progress;
  const auto go_on = [&](uint64_t done, uint64_t total) {
    return progress.show_bytes("verify", done, total);
  };
  NIBBLE_CHECK(verify_tensors(*written, names, digests, pool, go_on, out));
  return out;
}

void add(const QuantizePlan& plan, const Verification& v, VerifyReport& out) {
  if (v.n_mismatches > 0) note_mismatch();
  const std::string path = plan.target.path.string();
  out.json.push_back({{"output", path},
                      {"hyperparameters", v.hparams},
                      {"texts", v.n_texts},
                      {"tensors", v.n_tensors},
                      {"mismatches", v.n_mismatches},
                      {"first", v.mismatches}});
  out.text += fmt::format("{}: {} mismatches ({}{} texts, {} tensors)\n", path, v.n_mismatches,
                          v.hparams ? "hyperparameters, " : "", v.n_texts, v.n_tensors);
  for (const std::string& line : v.mismatches) out.text += "  " + one_line(line) + "\n";
}

}  // namespace

Result<std::optional<LoraProvenance>> merge_lora(const RewriteOptions& o, const LoraFiles& adapters,
                                                 GgufSource& source) {
  if (o.lora.empty()) return std::nullopt;
  NIBBLE_TRY(source.file, MergedFile::create(std::move(source.file), adapters.inputs()));
  ThreadPool pool(o.threads());
  Progress progress;
  const auto go_on = [&](uint64_t done, uint64_t total) {
    return progress.show_bytes("hash", done, total);
  };
  return lora_provenance(adapters.inputs(), pool, go_on);
}

void tell_notes(const ConvertNotes& notes) {
  if (!notes.left_out.empty())
    notice("{} tensors that the family does not use are left out, as {}", notes.left_out.size(),
           notes.left_out.front());
  if (!notes.has_tokenizer)
    notice("there is no tokenizer beside the weights: the file will not have one");
  else if (!notes.tokenizer.fits())
    notice("llama.cpp has no name for this tokenizer: nibble reads it, llama.cpp will refuse it");
}

Result<void> hash_sources(const RewriteOptions& o, const GgufSource& source, double& seconds) {
  if (!source.converted) return {};
  ThreadPool pool(o.threads());
  Progress progress;
  const auto go_on = [&](uint64_t done, uint64_t total) {
    return progress.show_bytes("hash", done, total);
  };
  const double start = now_s();
  NIBBLE_CHECK(source.converted->hash_sources(pool, go_on));
  seconds = now_s() - start;
  return {};
}

Result<VerifyReport> verify_outputs(const RewriteOptions& o, const GgufSource& source,
                                    std::span<const QuantizePlan> plans,
                                    const RecodeResult& result) {
  ThreadPool pool(o.threads());
  VerifyReport out;
  for (size_t w = 0; w < plans.size(); ++w) {
    NIBBLE_TRY(const Verification v, verify_one(source, plans[w], result.digests[w], pool));
    add(plans[w], v, out);
  }
  return out;
}

}  // namespace nibble::cli
