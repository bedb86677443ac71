// The parts of `nibble run`.
#pragma once

#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "cli/threads.h"
#include "cli/weights_memory.h"
#include "core/base/error.h"
#include "core/engine.h"
#include "core/sample/settings.h"

namespace nibble::cli {

// What was given on the command line; what was not is decided by the model or by SamplerSettings.
struct SamplingOptions {
  std::array<std::optional<double>, std::size(kSamplerSettings)> values;  // in the table's order
  std::optional<int64_t> seed;                                            // -1: a new one
};

struct RunOptions : ThreadOptions {
  std::optional<std::string> model;
  std::vector<std::string> lora;  // FILE_OR_FOLDER[:SCALE]
  std::optional<std::string> prompt, file, system;
  bool raw = false;
  std::string chat_template_file;
  std::string truncate;  // "keep-head", "keep-tail"; empty: a prompt that is too long is refused
  std::string on_full;   // of a chat: "drop-oldest"; "stop" or empty: stop
  std::string think = "show";
  int max_tokens = -1;
  std::optional<int> n_ctx;  // 0: the model's own
  int n_batch = 512;
  std::string kv_type = "f16";
  WeightsOptions weights;
  bool lookup = false;
  std::string draft;
  SamplingOptions sampling;
  std::vector<std::string> stops;
  bool ignore_eos = false;
  bool show_prompt = false, json = false, events = false;
};

Result<void> run_one_shot(const RunOptions& options, const std::string& text);
Result<void> run_chat(const RunOptions& options);

}  // namespace nibble::cli
