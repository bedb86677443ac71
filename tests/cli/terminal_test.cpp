// The program on a terminal: one-shot runs that always end, and chats.
#include <doctest/doctest.h>
#include <signal.h>

#include "tests/cli/model_fixture.h"

using namespace nibble::tests;

namespace {
constexpr const char* kAnswer = "Hello world!";
constexpr const char* kPrompt = "> ";

// Nine throws of the model's dice.
std::string dice(const ChainFixture& chain, const char* seed) {
  return chain.run({"-p", "d", "-n", "9", "--seed", seed, "--quiet"}).out;
}
}  // namespace

TEST_CASE("a one-shot run on a terminal ends by itself") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model, "-p", "a", "--quiet"});
  CHECK(terminal.wait_for_end() == 0);
  CHECK(terminal.written() == "Hello world!\r\n");
}

TEST_CASE("a chat answers, remembers and ends at Ctrl-D") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("a\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("t\r");
  CHECK(terminal.wait_for("one two"));
  terminal.type("/stats\r");
  // <|user|> a Hello world ! <|end|> <|user|> t
  CHECK(terminal.wait_for("prompt 8 tokens (3 new)"));
  terminal.type("\x04");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("a chat's message may have several lines, pasted or typed with Alt-Enter") {
  const ChainFixture chain({.n_ctx = 1000});
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  std::string lines;
  for (int i = 0; i < 50; ++i) lines += "line " + std::to_string(i) + "\r";
  terminal.type("\x1b[200~" + lines + "a\x1b[201~");
  terminal.type("\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("/clear\r");
  terminal.type("x\x1b\ra\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("/stats\r");
  CHECK(terminal.wait_for("prompt 4 tokens"));  // <|user|> x \n a
}

TEST_CASE("a chat brings back messages with Up and Ctrl-R") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("first a\r");
  REQUIRE(terminal.wait_for(kAnswer));
  terminal.type("second t\r");
  REQUIRE(terminal.wait_for("one two"));
  terminal.type("\x1b[A\x1b[A\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("\x12second\r\r");
  CHECK(terminal.wait_for("one two"));
}

TEST_CASE("the cursor stands behind what is searched for, in columns") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("\x12\xC3\xA9\xE6\xBC\xA2");
  CHECK(terminal.wait_for("(search '\xC3\xA9\xE6\xBC\xA2') \r\x1b[15C"));
  terminal.type("\x1b[200~\x1b[2J\r\x1b[201~");  // pasted: one row, and it drives nothing
  CHECK(terminal.wait_for("(search '\xC3\xA9\xE6\xBC\xA2[2J\\n') \r\x1b[20C"));
}

TEST_CASE("editing works by character, wide ones too") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type(
      "\xE6\xBC\xA2\xF0\x9F\x98\x80"
      "e\xCC\x81\x7f\x7f\x7f"
      "a\r");  // all three erased
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("/stats\r");
  CHECK(terminal.wait_for("prompt 2 tokens"));
  terminal.type("/clear\rta\x1b[D\x7f\r");  // left, then t erased
  CHECK(terminal.wait_for(kAnswer));
}

TEST_CASE("Ctrl-C stops an answer, hints on an empty line, and leaves the chat alive") {
  const ChainFixture chain({.n_ctx = 100000});
  OnTerminal terminal({"run", chain.model, "-c", "100000"});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("o\r");
  REQUIRE(terminal.wait_for(" again again"));
  terminal.type("\x03");
  CHECK(terminal.wait_for("(stopped)"));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("\x03");
  CHECK(terminal.wait_for("Ctrl-D"));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("a\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("/exit\r");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("Ctrl-C before an answer begins leaves the conversation as it was") {
  const ChainFixture chain({.n_ctx = 100000});
  OnTerminal terminal({"run", chain.model, "-c", "100000", "-t", "1"}, {{"NIBBLE_ISA", "scalar"}});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("a\r");
  REQUIRE(terminal.wait_for(kAnswer));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("\x1b[200~" + std::string(60000, 'x') + "\x1b[201~\r");
  REQUIRE(terminal.wait_for(" s left"));  // reading the prompt takes that long
  terminal.type("\x03");
  REQUIRE(terminal.wait_for("(stopped"));
  terminal.type("/stats\r");
  CHECK(terminal.wait_for("(stopped after "));
  terminal.type("t\r");
  CHECK(terminal.wait_for("one two"));
  terminal.type("/stats\r");
  // <|user|> a Hello world ! <|end|> <|user|> t
  CHECK(terminal.wait_for("prompt 8 tokens"));
  terminal.type("/exit\r");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("a chat's message may be written in the user's editor") {
  const ChainFixture chain;
  const auto script = chain.folder.write("edit", "#!/bin/sh\nprintf 'xa\\n' >> \"$1\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  OnTerminal terminal({"run", chain.model}, {{"VISUAL", ""}, {"EDITOR", script.string()}});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("/edit two\r");
  CHECK(terminal.wait_for("> twoxa"));
  CHECK(terminal.wait_for(kAnswer));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("t\r");  // the terminal is back
  CHECK(terminal.wait_for("one two"));
  OnTerminal without({"run", chain.model}, {{"VISUAL", ""}, {"EDITOR", ""}});
  REQUIRE(without.wait_for(kPrompt));
  without.type("/edit\r");
  CHECK(without.wait_for("nibble: /edit: set EDITOR"));
}

TEST_CASE("Ctrl-C is the editor's while it has the terminal") {
  const ChainFixture chain;
  const auto script =
      chain.folder.write("edit",
                         "#!/bin/sh\ntrap 'n=$((n+1)); echo caught $n' INT\necho editing\n"
                         "while [ ${n:-0} -lt 2 ]; do sleep 0.02; done\nprintf 'xa\\n' > \"$1\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  OnTerminal terminal({"run", chain.model}, {{"VISUAL", ""}, {"EDITOR", script.string()}});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("/edit\r");
  REQUIRE(terminal.wait_for("editing"));
  terminal.type("\x03");
  REQUIRE(terminal.wait_for("caught 1"));
  terminal.type("\x03");
  REQUIRE(terminal.wait_for("caught 2"));
  CHECK(terminal.wait_for("> xa"));
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("\x04");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("a chat with --on-full drop-oldest forgets its oldest turns and goes on") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model, "-c", "16", "-s", "b", "--on-full", "drop-oldest"});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("a\r");  // 4 tokens, with the answer 8
  REQUIRE(terminal.wait_for(kAnswer));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("xa\r");  // 11, with the answer 15
  REQUIRE(terminal.wait_for(kAnswer));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("t\r");
  CHECK(terminal.wait_for("the oldest 2 messages were forgotten"));
  CHECK(terminal.wait_for("one two"));
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("/stats\r");
  // <|system|> b <|user|> x a Hello world ! <|end|> <|user|> t
  CHECK(terminal.wait_for("prompt 11 tokens (8 new)"));
}

TEST_CASE("a chat warns when its context is nearly full and stops when it is full") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model, "-c", "12"});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("a\r");  // 5 of 12
  REQUIRE(terminal.wait_for(kAnswer));
  terminal.type("a\r");  // 11
  CHECK(terminal.wait_for("11 of 12 tokens of the context are used"));
  terminal.type("a\r");  // 14
  CHECK(terminal.wait_for("it was taken back"));
  terminal.type("/clear\ro\r");
  CHECK(terminal.wait_for("the context of 12 tokens is full"));
  terminal.type("\x04");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("a chat's commands") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("/help\r");
  CHECK(terminal.wait_for("/regen"));
  terminal.type("/set temp 0\r/set\r");
  CHECK(terminal.wait_for("temp 0,"));
  terminal.type("/set temp nan\r");
  CHECK(terminal.wait_for("(/set temp: expected -1 to 1000000)"));
  terminal.type("/set top-k 1.5\r");
  CHECK(terminal.wait_for("(/set top-k: expected a whole number, -1 to 1000000000)"));
  terminal.type("/set colour 1\r");
  CHECK(terminal.wait_for("(/set colour: no such name; /set alone lists them)"));
  terminal.type("/set max-tokens 1\ra\r");
  CHECK(terminal.wait_for("Hello\r\n"));
  terminal.type("/set max-tokens -1\r/regen\r");
  CHECK(terminal.wait_for(kAnswer));
  terminal.type("/system be brief\r/system\r");
  CHECK(terminal.wait_for("be brief\r\n"));
  terminal.type("/nonsense\r");
  CHECK(terminal.wait_for("no command /nonsense"));
  terminal.type("/quit\r");
  CHECK(terminal.wait_for_end() == 0);
}

TEST_CASE("a chat tells the seed of each answer, which draws it again") {
  const ChainFixture chain;
  OnTerminal terminal({"run", chain.model, "-n", "9", "--seed", "5"});
  REQUIRE(terminal.wait_for(kPrompt));
  terminal.type("d\r");
  REQUIRE(terminal.wait_for(dice(chain, "5")));
  terminal.type("/regen\r");
  REQUIRE(terminal.wait_for(dice(chain, "6")));
  terminal.type("/stats\r");
  CHECK(terminal.wait_for("; seed 6\r\n"));
  terminal.type("/set seed 40\r/regen\r");
  REQUIRE(terminal.wait_for(dice(chain, "40")));
  terminal.type("/stats\r");
  CHECK(terminal.wait_for("; seed 40\r\n"));
}

TEST_CASE("a base model refuses to chat, with a hint") {
  const ChainFixture base({.chat_template = false});
  OnTerminal terminal({"run", base.model});
  CHECK(terminal.wait_for_end() == 3);
  CHECK(terminal.written().find("pass -p TEXT to continue a text") != std::string::npos);
}

TEST_CASE("SIGTERM and SIGHUP end a chat with 143 and 129 and put the terminal back") {
  const ChainFixture chain({.n_ctx = 100000});
  for (const int number : {SIGTERM, SIGHUP})
    for (const bool answering : {false, true}) {
      CAPTURE(number);
      CAPTURE(answering);
      OnTerminal terminal({"run", chain.model, "-c", "100000"});
      REQUIRE(terminal.wait_for(kPrompt));
      if (answering) terminal.type("o\r");
      if (answering) REQUIRE(terminal.wait_for(" again again"));
      terminal.signal(number);
      CHECK(terminal.wait_for_end() == 128 + number);
      CHECK(terminal.written().ends_with("\x1b[?2004l"));
    }
}
