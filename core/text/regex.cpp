#include "core/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <utility>

#include "core/text/regex_translate.h"

namespace nibble::text {
namespace {
constexpr uint32_t kMatchLimit = 10'000'000;  // backtracking points of one match
constexpr size_t kJitStackStart = 32 * 1024, kJitStackMost = 1024 * 1024;  // bytes

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* p) const {
    free_function(p);
  }
};
}  // namespace

struct RegexScratch::State {
  std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context{
      pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Free<pcre2_jit_stack_free>> stack{
      pcre2_jit_stack_create(kJitStackStart, kJitStackMost, nullptr)};
  std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data{
      pcre2_match_data_create(1, nullptr)};
};

RegexScratch::RegexScratch() : state_(std::make_unique<State>()) {
  pcre2_set_match_limit(state_->context.get(), kMatchLimit);
  pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
}
RegexScratch::~RegexScratch() = default;

struct Regex::State {
  std::unique_ptr<pcre2_code, Free<pcre2_code_free>> code;
  bool jit = false;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  NIBBLE_TRY(const std::string translated, oniguruma_to_pcre2(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto state = std::make_unique<State>();
  state->code.reset(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr));
  if (!state->code) {
    PCRE2_UCHAR message[256] = {};
    pcre2_get_error_message(error, message, sizeof message);
    return unsupported("regular expression '{}': {}", pattern,
                       reinterpret_cast<const char*>(message));
  }
  state->jit = pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE) == 0;
  return Regex(std::move(state));
}

Regex::Outcome Regex::find(std::string_view text, size_t from, RegexScratch& scratch,
                           Match& match) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data() ? text.data() : "");
  RegexScratch::State& own = *scratch.state_;
  const int n = state_->jit ? pcre2_jit_match(state_->code.get(), subject, text.size(), from, 0,
                                              own.data.get(), own.context.get())
                            : pcre2_match(state_->code.get(), subject, text.size(), from,
                                          PCRE2_NO_UTF_CHECK, own.data.get(), own.context.get());
  if (n == PCRE2_ERROR_NOMATCH) return Outcome::kNone;
  if (n < 0) return Outcome::kOverBudget;
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(own.data.get());
  match = {ends[0], ends[1]};
  return Outcome::kMatch;
}

}  // namespace nibble::text
