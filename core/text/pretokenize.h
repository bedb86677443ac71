// tokenizer.json's pre-tokenizers: a text into the pieces that the model sees one by one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/json_fwd.h"
#include "core/text/regex.h"
#include "core/text/work_budget.h"

namespace nibble::text {

struct Piece {
  std::string_view text;   // valid UTF-8
  bool begins_text;        // it stands at the very beginning of what the user gave
  bool continues = false;  // it goes on after bytes that are no UTF-8: nothing is put before it
};

struct PreTokenizeScratch {
  RegexScratch regex;
  std::vector<std::string> buffers;  // one for each stage
  WorkBudget budget;
  bool over_budget = false;  // something was given up: what was emitted is not whole
};

using PieceSink = FunctionRef<void(const Piece&)>;

class PreTokenizer {
 public:
  // One step; the pieces that it emits live until the sink returns.
  class Stage {
   public:
    virtual ~Stage() = default;
    virtual void split(const Piece& piece, std::string& buffer, PreTokenizeScratch& scratch,
                       PieceSink sink) const = 0;
  };

  // json: the member "pre_tokenizer", or null. Fails with kUnsupported on a type or setting that is
  // not built in.
  static Result<PreTokenizer> read(const Json& json);

  void run(const Piece& piece, PreTokenizeScratch& scratch, PieceSink sink) const;
  // The pieces are raw bytes that the model is to see in GPT-2's alphabet: its mapping is the last
  // step, and is left to the caller, which can look a piece up first.
  bool maps_bytes() const { return maps_bytes_; }
  bool splits() const { return !stages_.empty(); }

 private:
  void run_from(size_t stage, const Piece& piece, PreTokenizeScratch& scratch,
                PieceSink sink) const;
  std::vector<std::unique_ptr<Stage>> stages_;
  bool maps_bytes_ = false;
};

}  // namespace nibble::text
