// nibble inspect: what a model file is.
#include "cli/inspect.h"

#include <memory>

#include "cli/command.h"
#include "cli/model_path.h"

namespace nibble::cli {
namespace {

constexpr const char* kInspectExamples =
    "Examples:\n"
    "  nibble inspect                               the installed models\n"
    "  nibble inspect model.gguf                    a summary\n"
    "  nibble inspect model.gguf --metadata --key tokenizer.chat_template\n"
    "  echo -n 'Hello' | nibble inspect --tokenize model.gguf\n"
    "  nibble inspect --render case.json template.jinja\n";

Result<void> check(const InspectOptions& o) {
  const int views =
      o.metadata + o.tensors + o.tokenize + o.detokenize + !o.render.empty() + o.chat_template;
  if (views > 1)
    return fail(ErrorKind::kUsage,
                "--metadata, --tensors, --tokenize, --detokenize, --render and --template "
                "exclude one another");
  if (!o.key.empty() && !o.metadata) return fail(ErrorKind::kUsage, "--key needs --metadata");
  if (o.no_special && !o.tokenize) return fail(ErrorKind::kUsage, "--no-special needs --tokenize");
  return {};
}

Result<void> run_inspect(const InspectOptions& o) {
  NIBBLE_CHECK(check(o));
  if (o.tokenize) return inspect_tokenize(o);
  if (o.detokenize) return inspect_detokenize(o);
  if (!o.render.empty()) return inspect_render(o);
  if (o.chat_template) return inspect_template(o);
  if (!o.model && !o.metadata && !o.tensors) return inspect_installed(o);
  TextSource source;
  NIBBLE_TRY(source.path, find_model(o.model));
  NIBBLE_CHECK(open_weights(source));
  if (o.metadata) return inspect_metadata(*source.file, o);
  if (o.tensors) return inspect_tensors(*source.file, o);
  return inspect_summary(source, o);
}

}  // namespace

Command setup_inspect(App& app) {
  App* command = add_command(app, "inspect", "Show what a model file is");
  auto o = std::make_shared<InspectOptions>();
  command->add_option("MODEL", o->model,
                      "GGUF file, Hugging Face or Meta folder, or the name of an installed model; "
                      "none: list those");
  command->add_flag("--metadata", o->metadata, "All key-value pairs")->group("Views");
  command->add_option("--key", o->key, "Of the metadata only this key's value, in full")
      ->type_name("KEY")
      ->group("Views");
  command->add_flag("--tensors", o->tensors, "All tensors: type, shape, bytes")->group("Views");
  command->add_flag("--template", o->chat_template, "The chat template as it stands")
      ->group("Views");
  command
      ->add_flag("--tokenize", o->tokenize,
                 "Text on standard input to a JSON array of token ids; MODEL may be a "
                 "vocabulary-only GGUF file or a folder with tokenizer.json")
      ->group("Text");
  command
      ->add_flag("--no-special", o->no_special,
                 "Leave out the tokens that the tokenizer adds on its own")
      ->group("Text");
  command->add_flag("--detokenize", o->detokenize, "A JSON array of ids on standard input to text")
      ->group("Text");
  command
      ->add_option("--render", o->render,
                   "The chat prompt of CASE.json ({\"messages\": [...], ...}); MODEL may be a "
                   ".jinja file")
      ->type_name("CASE.json")
      ->group("Text");
  command->add_flag("--json", o->json, "The result as one JSON document")->group("Output");
  command->footer(kInspectExamples);
  return {command, [o] { return run_inspect(*o); }};
}

}  // namespace nibble::cli
