#include "core/pipeline/think_stream.h"

#include <doctest/doctest.h>

using namespace nibble;

namespace {

// The answer in pieces of n bytes.
ThinkStream::Parts split(std::string_view answer, size_t n, bool open = false) {
  ThinkStream stream(open);
  ThinkStream::Parts all;
  const auto join = [&](const ThinkStream::Parts& parts) {
    all.reasoning += parts.reasoning;
    all.content += parts.content;
  };
  for (size_t at = 0; at < answer.size(); at += n) join(stream.add(answer.substr(at, n)));
  join(stream.finish());
  return all;
}

}  // namespace

TEST_CASE("a thought is taken apart from the answer, however the text comes in pieces") {
  struct Row {
    const char *answer, *reasoning, *content;
    bool open;
  };
  const Row rows[] = {
      {"<think>\nlet me see\n</think>\n\nYes.", "let me see", "Yes.", false},
      {"\n <think>a < b, </thin> c</think>Yes <think>no</think>", "a < b, </thin> c",
       "Yes <think>no</think>", false},
      {"let me see\n</think>\n\nYes.", "let me see", "Yes.", true},
      {"<think>\n\n</think>\n\nYes.", "", "Yes.", false},
      {"<think>never ends </thi", "never ends </thi", "", false},
      {"  no thought", "", "  no thought", false},
      {" <thin", "", " <thin", false},
      {"", "", "", false},
      {"Yes </think>.\n", "", "Yes </think>.\n", false},
  };
  for (const Row& row : rows)
    for (size_t n = 1; n < 12; ++n) {
      CAPTURE(row.answer);
      CAPTURE(n);
      const auto parts = split(row.answer, n, row.open);
      CHECK(parts.reasoning == row.reasoning);
      CHECK(parts.content == row.content);
    }
}

TEST_CASE("nothing that is certain is held back") {
  ThinkStream stream;
  CHECK(stream.add("<think>a").reasoning == "a");
  CHECK(stream.add(" b").reasoning == " b");
  CHECK(stream.add(" </").reasoning.empty());
  CHECK(stream.add("c").reasoning == " </c");
  CHECK(stream.add("</think>d").content == "d");
  CHECK(stream.add("\n").content == "\n");
}

TEST_CASE("a prompt may open the thought") {
  CHECK(opens_thought("<|assistant|><think>\n"));
  CHECK_FALSE(opens_thought("<|assistant|><think>\n\n</think>\n\n"));
  CHECK_FALSE(opens_thought(""));
}
