// run --think and --truncate.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

Json document(const Ended& end) {
  const auto json = parse_json(end.out);
  REQUIRE_MESSAGE(json.has_value(), end.err);
  return *json;
}

}  // namespace

TEST_CASE("run --think shows, hides or sets apart what a model thinks") {
  const ChainFixture chain({.thinks = true});
  CHECK(chain.run({"-p", "q", "--quiet"}).out == "<think>hmm</think>Hello world!");
  CHECK(chain.run({"-p", "q", "--think", "hide", "--quiet"}).out == "Hello world!");
  const Ended apart = chain.run({"-p", "q", "--think", "only-stderr"});
  CHECK(apart.out == "Hello world!");
  CHECK(apart.err.find("hmm\n") == 0);
  CHECK(chain.run({"-p", "q", "--think", "only-stderr", "--quiet"}).err.empty());
  CHECK(chain.run({"-p", "a", "--think", "hide", "--quiet"}).out == "Hello world!");
  CHECK(chain.run({"-p", "q", "--think", "hide", "-n", "3", "--quiet"}).out.empty());
  const Json shown = document(chain.run({"-p", "q", "--json"}));
  CHECK(shown["text"] == "<think>hmm</think>Hello world!");
  CHECK(shown["reasoning"] == "hmm");
  CHECK(shown["content"] == "Hello world!");
  CHECK(document(chain.run({"-p", "q", "--json", "--think", "hide"}))["text"] == "Hello world!");
  const Ended events = chain.run({"-p", "q", "--events", "--think", "hide"});
  CHECK(events.out.find("\"reasoning\":\"hmm\",\"text\":\"\"}") != std::string::npos);
}

TEST_CASE("run knows a thought that the template has opened, and can ask for none") {
  const ChainFixture chain;
  const std::string open = chain.folder.write(
      "open.jinja",
      "{{ messages[0].content }}{% if enable_thinking is not defined or enable_thinking %}"
      "<think>\n{% endif %}a");
  const auto prompt = [&](const char* how) {
    return document(chain.run({"-p", "x", "--chat-template-file", open, "--think", how,
                               "--show-prompt", "--json"}))["text"];
  };
  CHECK(prompt("show") == "x<think>\na");
  CHECK(prompt("off") == "xa");
  const std::string opened = chain.folder.write("opened.jinja", "a{{ '<think>' }}");
  const Ended thinks =
      chain.run({"-p", "x", "--chat-template-file", opened, "--json", "--temp", "0", "-n", "4"});
  CHECK(document(thinks)["content"] == "");  // no closing tag came
  const Ended none = chain.run({"-p", "a", "--think", "off"});
  CHECK(none.out == "Hello world!");
  CHECK(none.err.find("nibble: --think off: this chat template has no switch for it\n") == 0);
  CHECK(chain.run({"-p", "a", "--raw", "--think", "off"}).exit_code == 2);
}

TEST_CASE("run --truncate keeps the head or the tail of a prompt that is too long, and tells") {
  const ChainFixture chain;
  std::string text = "secret";
  for (int i = 0; i < 100; ++i) text += "\xC3\xA9x";  // three bytes, three tokens
  text += "a";
  const Ended refused = chain.run({"-p", text, "-c", "64"});
  CHECK(refused.exit_code == 4);
  CHECK(refused.out.empty());
  const auto run = [&](const char* keep) {
    return chain.run({"-p", text, "-c", "64", "-n", "8", "--truncate", keep, "--json"});
  };
  const Ended tail = run("keep-tail");
  CHECK(tail.exit_code == 0);
  CHECK(document(tail)["text"] == "Hello world!");  // the last byte is still there
  const int n_prompt = document(tail)["n_prompt"];
  CHECK(n_prompt <= 56);
  CHECK(n_prompt > 52);  // whole characters
  CHECK(document(tail)["dropped_tokens"] == 308 - n_prompt);
  CHECK(tail.err.find(std::to_string(308 - n_prompt) +
                      " of the prompt's 308 tokens were dropped") != std::string::npos);
  const Json head = document(run("keep-head"));
  CHECK(head["text"] != "Hello world!");
  CHECK(head["n_prompt"] <= 56);
  const Json fits = document(chain.run({"-p", "a", "--truncate", "keep-head", "--json"}));
  CHECK(fits["dropped_tokens"] == 0);
  CHECK_FALSE(document(chain.run({"-p", "a", "--json"})).contains("dropped_tokens"));
  CHECK(chain.run({"-p", "a", "--truncate", "keep-head", "--show-prompt"}).exit_code == 2);
  CHECK(chain.run({"-p", "a", "--on-full", "drop-oldest"}).exit_code == 2);
}
