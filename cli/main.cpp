// Parses the command line, calls one subcommand and maps its error to the exit code.
#include <fmt/ranges.h>

#include <memory>
#include <new>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "core/version.h"
#include "quant/dispatch.h"

namespace nibble::cli {
namespace {

constexpr const char* kTopExamples =
    "Examples:\n"
    "  nibble run                                   chat with the installed model\n"
    "  nibble run model.gguf -p \"Why is the sky blue?\"\n"
    "  git diff | nibble run -s \"Summarize this change.\"\n"
    "  nibble inspect model.gguf                    what a file is\n"
    "  nibble eval model.gguf --text book.txt       its perplexity on a text\n"
    "  nibble bench model.gguf                      its speed on this machine\n"
    "  nibble convert FOLDER -o model.gguf          a model folder as one file\n"
    "\n"
    "A MODEL is a GGUF file, a Hugging Face or Meta folder, or the name of an installed model, "
    "which\n"
    "is a file or folder under $XDG_DATA_HOME/nibble/models (default "
    "~/.local/share/nibble/models).\n"
    "'nibble COMMAND --help' tells a command's options.\n";

std::string top_footer() {
  return fmt::format("{}NIBBLE_ISA forces an instruction set: {}.\n\n{}", kTopExamples,
                     fmt::join(quant::compiled_isas(), ", "), kExitCodeHelp);
}

std::string version_text() {
  const BuildInfo build = build_info();
  return fmt::format(
      "nibble {} ({}, {})\ninstruction sets: compiled {}; usable here {}; in use {}\n",
      build.version, build.commit, build.compiler, fmt::join(quant::compiled_isas(), " "),
      fmt::join(quant::runnable_isas(), " "), quant::isa_name());
}

struct Program {
  CLI::App parser{"nibble runs open language models on this machine's processor.", "nibble"};
  App app{parser};
  std::vector<Command> commands;
  bool version = false;

  Program() {
    parser.formatter(std::make_shared<HelpFormatter>());
    parser.require_subcommand(0, 1);
    app.add_flag("-V,--version", version, "Print version, commit and instruction sets");
    app.footer(top_footer());
    commands = {setup_run(app),   setup_inspect(app),  setup_eval(app),
                setup_bench(app), setup_quantize(app), setup_convert(app)};
  }
};

Result<void> run_chosen(Program& program) {
  NIBBLE_CHECK(quant::select_isa());
  if (program.version) return write_out(version_text());
  for (const Command& command : program.commands)
    if (command.app->parsed()) return command.run();
  return fail(ErrorKind::kUsage, "no command given; 'nibble --help' lists them");
}

int parse_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {  // --help
    const CLI::App* shown = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    const auto written = write_out(shown->help());
    return written ? 0 : report(written.error());
  }
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "nibble" : "nibble " + chosen.front()->get_name();
  return report({ErrorKind::kUsage, fmt::format("{}; see '{} --help'", error.what(), command)});
}

int run(int argc, char** argv) {
  install_signal_handlers();
  watch_mapped_files();
  Program program;
  try {
    program.parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parse_error(program.parser, error);
  }
  const auto done = run_chosen(program);
  return done ? exit_code_of_success() : report(done.error());
}

}  // namespace
}  // namespace nibble::cli

int main(int argc, char** argv) {
  using nibble::ErrorKind;
  try {
    return nibble::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return nibble::cli::report({ErrorKind::kOutOfMemory, "not enough memory"});
  } catch (const std::exception& error) {
    return nibble::cli::report({ErrorKind::kInternal, error.what()});
  }
}
