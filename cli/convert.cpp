// nibble convert: any readable model to GGUF, as stored or in another type.
#include <memory>

#include "cli/command.h"
#include "cli/convert_adapter.h"
#include "cli/convert_hf.h"
#include "cli/lora.h"
#include "cli/rewrite.h"

namespace nibble::cli {
namespace {

struct ConvertCommand : RewriteOptions {
  std::string out, type, to = "gguf", base;
};

constexpr const char* kConvertExamples =
    "Without --type each tensor keeps the precision it is stored in (what GGUF has no format for,\n"
    "as FP8, GPTQ or AWQ, becomes F32); with it the file is what 'nibble quantize' makes of that\n"
    "one. Weights that --lora changes become F32 then, so that the sum is not rounded. The\n"
    "tokenizer, chat templates, licence and sampling defaults come along.\n"
    "\n"
    "Examples:\n"
    "  nibble convert Qwen3-8B -o qwen3-8b.gguf\n"
    "  nibble convert Qwen3-8B -o qwen3-8b-q4.gguf --type q4_k_m\n"
    "  nibble convert Llama-3.1-8B/original -o llama.gguf --max-shard 4G\n"
    "  nibble convert model.gguf --to hf -o model-hf\n"
    "  nibble convert Qwen3-8B --lora adapter -o merged.gguf\n"
    "  nibble convert adapter --base Qwen3-8B -o adapter.gguf\n"
    "  nibble convert model-00001-of-00003.gguf -o model.gguf      merges the files of a split "
    "one\n";

Result<void> check_to_hf(const ConvertCommand& o) {
  if (o.overrides.empty() && !o.importance.any() && !o.dry_run && !o.verify && !o.from_quantized &&
      !o.resume)
    return {};
  return fail(ErrorKind::kUsage,
              "--to hf goes without --tensor, --imatrix, --from-quantized, --dry-run, --resume and "
              "--verify");
}

Result<void> check_adapter(const ConvertCommand& o) {
  if (o.to == "gguf" && o.type.empty() && o.lora.empty() && o.overrides.empty() &&
      !o.importance.any() && o.max_shard.empty() && !o.dry_run && !o.verify && !o.from_quantized &&
      !o.resume)
    return {};
  return fail(ErrorKind::kUsage,
              "--base, which writes an adapter, goes with -o, --force and --json");
}

Result<void> run_convert(const ConvertCommand& o) {
  if (!o.base.empty()) {
    NIBBLE_CHECK(check_adapter(o));
    return convert_adapter(o, o.base, o.out);
  }
  if (o.to == "hf") {
    NIBBLE_CHECK(check_to_hf(o));
    return convert_to_hf(o, o.out, o.type);
  }
  QuantizeOptions plan;
  plan.targets = {{o.out, nullptr}};
  if (o.type.empty() && (!o.overrides.empty() || o.importance.any() || o.from_quantized))
    return fail(ErrorKind::kUsage, "--tensor, --imatrix and --from-quantized need --type");
  if (o.dry_run && o.verify) return fail(ErrorKind::kUsage, "--dry-run writes nothing to --verify");
  if (!o.type.empty()) {
    NIBBLE_TRY(plan.targets[0].mix, parse_mix(o.type));
  }
  return rewrite(o, std::move(plan));
}

}  // namespace

Command setup_convert(App& app) {
  App* command =
      add_command(app, "convert", "Write a model as a GGUF file or as a Hugging Face folder");
  auto o = std::make_shared<ConvertCommand>();
  command
      ->add_option("IN", o->source,
                   "Hugging Face or Meta folder, or GGUF file (any of a split one)")
      ->required();
  command->add_option("-o,--output", o->out, "GGUF file, or with --to hf folder, to write")
      ->type_name("OUT")
      ->required();
  command
      ->add_option("--to", o->to,
                   "gguf, or hf: a Hugging Face folder, which takes --type f32, "
                   "f16 or bf16")
      ->type_name("LAYOUT")
      ->check(one_of({"gguf", "hf"}))
      ->capture_default_str();
  add_lora(*command, o->lora)
      ->description("Merge a LoRA adapter into the weights; may be repeated");
  command
      ->add_option("--base", o->base,
                   "IN is a PEFT adapter for this model: write it as a GGUF adapter")
      ->type_name("MODEL");
  command
      ->add_option("--type", o->type,
                   "f32, f16, bf16 or any mix that 'nibble quantize' has; --tensor, --imatrix and "
                   "--from-quantized need it")
      ->type_name("TYPE")
      ->group("Formats");
  add_rewrite_options(*command, *o);
  command
      ->add_flag("--verify", o->verify,
                 "Prove the written file against the source: hyperparameters, the tokenizer on a "
                 "built-in corpus, tensors by hash; exit 1 on a mismatch")
      ->group("Output");
  command->footer(kConvertExamples);
  return {command, [o] { return run_convert(*o); }};
}

}  // namespace nibble::cli
