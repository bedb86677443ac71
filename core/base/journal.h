// What an interrupted run had done: lines of text in a file beside its output. A line that was cut
// off does not count.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace nibble {

class Journal {
 public:
  // subject: what the work is made of, one line; lines() are those of an earlier run on the same
  // subject, none where there was no such run. keep: the file stays when the journal dies, for a
  // run to come. Fails with kOutput.
  static Result<Journal> open(const std::filesystem::path& path, std::string_view subject,
                              bool take_up, bool keep);
  // The lines of an earlier run on the subject; none where there was no such run. Changes nothing.
  static std::vector<std::string> lines_of(const std::filesystem::path& path,
                                           std::string_view subject);
  Journal(Journal&&) noexcept;
  ~Journal();

  const std::vector<std::string>& lines() const;
  Result<void> start_over(size_t n_kept);  // with the first lines
  Result<void> add(std::string_view line);
  void remove();  // the work is done

 private:
  struct State;
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nibble
