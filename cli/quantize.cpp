// nibble quantize: any readable model to quantized GGUF files.
#include <memory>

#include "cli/command.h"
#include "cli/mix_table.h"
#include "cli/rewrite.h"

namespace nibble::cli {
namespace {

struct QuantizeCommand : RewriteOptions {
  std::string out, type;
  std::vector<std::string> also;
  bool no_fallback = false;
};

constexpr const char* kQuantizeExamples =
    "A type is a mix of formats as llama.cpp has it (q4_k_m, q6_k, q8_0, ...); q4 is short for\n"
    "q4_k_m. Where a format's block does not divide a tensor's rows another one takes its place,\n"
    "which the result tells.\n"
    "\n"
    "Examples:\n"
    "  nibble quantize model-f16.gguf model-q4.gguf --type q4_k_m\n"
    "  nibble quantize model-f16.gguf model-q4.gguf --type q4_k_m --imatrix imatrix.gguf\n"
    "  nibble quantize model-f16.gguf iq3.gguf --type iq3_s --calibrate book.txt --save-imatrix "
    "imatrix.gguf\n"
    "  nibble quantize model-f16.gguf q4.gguf --type q4_k_m --also q8.gguf=q8_0\n"
    "  nibble quantize model-f16.gguf q4.gguf --type q4_k_m --tensor 'blk\\.0\\.=q8_0' --dry-run\n"
    "  nibble quantize model-f16.gguf fits.gguf --size 6GiB --calibrate book.txt\n";

Result<QuantizeTarget> parse_also(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos || at == 0)
    return fail(ErrorKind::kUsage, "--also {}: expected OUT=TYPE", text);
  NIBBLE_TRY(const quant::Mix* mix, parse_mix(text.substr(at + 1)));
  return QuantizeTarget{.path = text.substr(0, at), .mix = mix};
}

Result<void> run_quantize(QuantizeCommand o) {
  o.importance.overwrite = o.force;
  QuantizeOptions plan;
  if (!o.type.empty() + !o.size.empty() + o.bpw.has_value() != 1)
    return fail(ErrorKind::kUsage, "pass one of --type TYPE, --size SIZE and --bpw BITS");
  if (o.dry_run && (!o.importance.save.empty() || !o.report.empty() || o.errors))
    return fail(ErrorKind::kUsage,
                "--dry-run writes nothing: it goes without --save-imatrix, --report and --errors");
  plan.targets = {{.path = o.out}};
  if (!o.type.empty()) {
    NIBBLE_TRY(plan.targets[0].mix, parse_mix(o.type));
  }
  for (const auto& text : o.also) {
    NIBBLE_TRY(plan.targets.emplace_back(), parse_also(text));
  }
  plan.no_fallback = o.no_fallback;
  return rewrite(o, std::move(plan));
}

}  // namespace

Command setup_quantize(App& app) {
  App* command = add_command(app, "quantize", "Write a model in fewer bits");
  auto o = std::make_shared<QuantizeCommand>();
  command
      ->add_option("IN", o->source, "GGUF file (any of a split one), Hugging Face or Meta folder")
      ->required();
  command->add_option("OUT", o->out, "GGUF file to write")->required();
  command->add_option("--type", o->type, "The mix of formats")->type_name("TYPE");
  command
      ->add_option(
          "--size", o->size,
          "Instead of a type: the mix that loses least in files of at most this size, from "
          "what each tensor loses in each format")
      ->type_name("SIZE");
  command->add_option("--bpw", o->bpw, "The same for so many bits per weight")
      ->type_name("BITS")
      ->check(in_range(0.5, 32));
  add_list(*command, "--also", o->also, "Write another file in the same pass")
      ->type_name("OUT=TYPE");
  add_rewrite_options(*command, *o);
  command
      ->add_flag("--no-fallback", o->no_fallback,
                 "Fail where a format's block does not divide a tensor's rows")
      ->group("Formats");
  command
      ->add_option("--calibrate", o->importance.text,
                   "Run the source over this text and weigh errors by what its weights are "
                   "multiplied with")
      ->type_name("TEXT")
      ->group("Importance");
  command
      ->add_option("--save-imatrix", o->importance.save,
                   "Write the importance matrix, as llama.cpp's GGUF or, under a name in .dat, its "
                   "older file")
      ->type_name("FILE")
      ->group("Importance");
  command
      ->add_flag("--errors", o->errors, "Measure what the weights lose; each tensor's with --json")
      ->group("Output");
  command
      ->add_option("--report", o->report,
                   "Write what was lost, by tensor: a page (.html) with drawings, or .json")
      ->type_name("FILE")
      ->group("Output");
  command
      ->add_option("--report-text", o->report_text,
                   "Run source and OUT over this text, for the report: KL divergence and both "
                   "perplexities (default: the text of --calibrate)")
      ->type_name("TEXT")
      ->group("Output");
  command->footer([] { return mix_table() + "\n" + kQuantizeExamples; });
  return {command, [o] { return run_quantize(*o); }};
}

}  // namespace nibble::cli
