#include "core/pipeline/verify.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/printable.h"
#include "core/models/family.h"
#include "core/models/folder_config.h"
#include "core/models/hparams_diff.h"
#include "core/text/probe_texts.h"
#include "formats/checksum.h"

namespace nibble {
namespace {

constexpr size_t kMaxShown = 20;    // mismatches, and ids of one
constexpr double kRounding = 1e-6;  // of numbers that GGUF has as 32-bit floats
constexpr int kMaxSpecials = 4096;  // special tokens that are tried

void add_mismatch(Verification& out, std::string line) {
  ++out.n_mismatches;
  if (out.mismatches.size() < kMaxShown) out.mismatches.push_back(std::move(line));
}

std::string ids_text(const Result<std::vector<TokenId>>& ids) {
  if (!ids) return ids.error().message;
  const size_t n = std::min(ids->size(), kMaxShown);
  return fmt::format("[{}{}]", fmt::join(ids->begin(), ids->begin() + static_cast<long>(n), ", "),
                     n < ids->size() ? ", .." : "");
}

bool same(const Result<std::vector<TokenId>>& a, const Result<std::vector<TokenId>>& b) {
  return a && b && *a == *b;
}

void compare(const Tokenizer& source, const Tokenizer& written, std::string_view text,
             Verification& out) {
  ++out.n_texts;
  for (const bool special : {true, false}) {
    const EncodeOptions options{.add_special = special, .parse_special = true};
    const auto expected = source.encode(text, options), got = written.encode(text, options);
    if (!same(expected, got))
      return add_mismatch(out, fmt::format("text {}: {}, the source has {}", in_quotes(text),
                                           ids_text(got), ids_text(expected)));
    const auto back = source.decode(*expected), again = written.decode(*got);
    if (!(back && again && *back == *again))
      return add_mismatch(out, fmt::format("ids {}: decoded as {}, by the source as {}",
                                           ids_text(got), in_quotes(again.value_or("nothing")),
                                           in_quotes(back.value_or("nothing"))));
  }
}

void compare_specials(const Tokenizer& source, const Tokenizer& written, Verification& out) {
  int n_tried = 0;
  for (TokenId id = 0; id < source.n_vocab() && n_tried < kMaxSpecials; ++id) {
    if (!source.is_control(id)) continue;
    ++n_tried;
    const std::string text(source.token_text(id));
    compare(source, written, text, out);
    compare(source, written, fmt::format("before{} {} after", text, text), out);
  }
}

std::string id_text(std::optional<TokenId> id) { return id ? std::to_string(*id) : "none"; }

// The source's hyperparameters as they are in a GGUF file of its tensors.
Result<Hparams> hparams_of(const WeightFile& source, const Architecture& family,
                           const WeightFile& written) {
  if (!source.config()) return family.read_hparams({source.metadata(), &written});
  NIBBLE_TRY(const FolderConfig config, read_folder_config(*source.config(), &source));
  return family.read_hparams({config.metadata, &written});
}

}  // namespace

Result<void> verify_hparams(const WeightFile& source, const WeightFile& written,
                            Verification& out) {
  if (!source.config() && !read_family(source)) return {};
  NIBBLE_TRY(const Family family, read_family(written));
  NIBBLE_TRY(const Hparams wanted,
             with_path_of(source, hparams_of(source, *family.architecture, written)));
  for (const auto& d : differences(family.hparams, wanted, written, kRounding))
    add_mismatch(out, fmt::format("hyperparameter {}: {}, the source has {}", d.field, d.a, d.b));
  out.hparams = true;
  return {};
}

void verify_tokenizer(const Tokenizer& source, const Tokenizer& written, Verification& out) {
  for (const std::string_view text : text::probe_texts()) compare(source, written, text, out);
  compare_specials(source, written, out);
  if (source.bos() != written.bos() || source.eos() != written.eos())
    add_mismatch(
        out, fmt::format("BOS and EOS: {} and {}, the source has {} and {}", id_text(written.bos()),
                         id_text(written.eos()), id_text(source.bos()), id_text(source.eos())));
  if (!std::ranges::equal(source.end_tokens(), written.end_tokens()))
    add_mismatch(out, fmt::format("tokens that end an answer: [{}], the source has [{}]",
                                  fmt::join(written.end_tokens(), ", "),
                                  fmt::join(source.end_tokens(), ", ")));
}

Result<void> verify_tensors(const WeightFile& written, std::span<const std::string> names,
                            std::span<const std::string> digests, ThreadPool& pool,
                            FunctionRef<bool(uint64_t, uint64_t)> go_on, Verification& out) {
  const auto n_threads = static_cast<size_t>(pool.size());
  std::vector<std::string> found(names.size());
  uint64_t done = 0, total = 0;
  for (const TensorView& t : written.tensors()) total += t.bytes.size();
  for (size_t first = 0; first < names.size(); first += n_threads) {
    if (!go_on(done, total)) return fail(ErrorKind::kInterrupted, "interrupted");
    const size_t n = std::min(n_threads, names.size() - first);
    pool.run(static_cast<int>(n), [&](int i, int) {
      const size_t at = first + static_cast<size_t>(i);
      if (const TensorView* t = written.find(names[at])) found[at] = xxh3_128(t->bytes);
    });
    for (size_t i = first; i < first + n; ++i) {
      if (const TensorView* t = written.find(names[i])) done += t->bytes.size();
      ++out.n_tensors;
      if (found[i] != digests[i])
        add_mismatch(out, fmt::format("tensor {}: {}, written as {}", in_quotes(names[i]),
                                      found[i].empty() ? "missing" : found[i], digests[i]));
    }
  }
  return {};
}

}  // namespace nibble
