// One-shot runs: exact standard output, standard error and exit codes.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "tests/cli/model_fixture.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("run answers a prompt and writes nothing but the answer to standard output") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "a"});
  CHECK(end.exit_code == 0);
  CHECK(end.out == "Hello world!");
  CHECK(end.err.find("prompt 2 tokens") != std::string::npos);  // <|user|> a
  CHECK(end.err.find("seed ") != std::string::npos);
  CHECK(end.err.find('\x1b') == std::string::npos);
  CHECK(end.err.find('\r') == std::string::npos);
}

TEST_CASE("run --quiet leaves standard error empty") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "a", "--quiet"});
  CHECK(end.out == "Hello world!");
  CHECK(end.err.empty());
}

TEST_CASE("run takes its prompt from -p, -f and standard input") {
  const ChainFixture chain;
  chain.folder.write("prompt.txt", "a\n");
  CHECK(chain.run({"--quiet"}, "a").out == "Hello world!");
  CHECK(chain.run({"--quiet"}, "a\n").out == "Hello world!");
  CHECK(chain.run({"--quiet", "-f", "-"}, "a").out == "Hello world!");
  CHECK(chain.run({"--quiet", "-f", chain.folder.path() / "prompt.txt"}).out == "Hello world!");
  // Behind -p the file's text follows on a new line.
  const Ended shown = chain.run({"-p", "x", "-f", "-", "--show-prompt", "--json"}, "y\n");
  CHECK(parse_json(shown.out)->at("text") == "<|user|>x\ny");
}

TEST_CASE("run without a prompt is a usage error before the model is read") {
  const Ended end = run_program({"run", "/does/not/exist.gguf"}, "");
  CHECK(end.exit_code == 2);
  CHECK(end.out.empty());
  CHECK(end.err ==
        "nibble: the prompt is empty; pass -p TEXT, -f FILE, or text on standard input\n");
}

TEST_CASE("run ends with what the model ends with, and at -n") {
  const ChainFixture chain;
  CHECK(chain.run({"-p", "s"}).out.empty());  // an end token that is not EOS
  CHECK(chain.run({"-p", "t"}).out == "one two");
  const Ended two = chain.run({"-p", "o", "-n", "2", "--quiet"});
  CHECK(two.exit_code == 0);
  CHECK(two.out == " again again");
  CHECK(chain.run({"-p", "a", "-n", "0", "--quiet"}).out.empty());
}

TEST_CASE("run never splits a character and replaces what is none") {
  const ChainFixture chain;
  CHECK(chain.run({"-p", "e", "--quiet"}).out == "\xC3\xA9");
  CHECK(chain.run({"-p", "m", "--quiet"}).out == "\xF0\x9F\x98\x80");
  CHECK(chain.run({"-p", "u", "--quiet"}).out == "\xEF\xBF\xBD?");
  CHECK(chain.run({"-p", "m", "-n", "3", "--quiet"}).out == "\xEF\xBF\xBD");
}

TEST_CASE("run --events releases a character with the token that completes it") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "m", "--events", "--quiet"});
  std::string texts, ids;
  size_t begin = 0;
  for (size_t at; (at = end.out.find('\n', begin)) != std::string::npos; begin = at + 1) {
    const auto event = parse_json(std::string_view(end.out).substr(begin, at - begin));
    REQUIRE(event);
    if (event->at("event") != "token") continue;
    texts += event->at("text").get<std::string>() + "|";
    ids += event->at("id").dump() + " ";
  }
  CHECK(texts == "|||\xF0\x9F\x98\x80|");
  CHECK(ids == "240 159 152 128 ");
}

TEST_CASE("run --stop never shows a part of a stop string, and shows what only began like one") {
  const ChainFixture chain;
  CHECK(chain.run({"-p", "a", "--stop", "lo wo", "--quiet"}).out == "Hel");
  CHECK(chain.run({"-p", "a", "--stop", "lo wX", "--quiet"}).out == "Hello world!");
  CHECK(chain.run({"-p", "a", "--stop", "!?", "--quiet"}).out == "Hello world!");
  CHECK(chain.run({"-p", "a", "--stop", "[x,y]", "--stop", "world", "--quiet"}).out == "Hello ");
}

TEST_CASE("run --json is one document with text, reason, tokens, seed and timing") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "a", "--json", "--seed", "7", "--quiet"});
  const auto document = parse_json(end.out);
  REQUIRE(document);
  CHECK(document->at("text") == "Hello world!");
  CHECK(document->at("reason") == "end");
  CHECK(document->at("n_prompt") == 2);
  CHECK(document->at("n_tokens") == 3 + 0);
  CHECK(document->at("seed") == 7);
  CHECK(document->at("timing").contains("first_token_seconds"));
  CHECK(parse_json(chain.run({"-p", "o", "-n", "1", "--json"}).out)->at("reason") == "length");
  CHECK(parse_json(chain.run({"-p", "a", "--stop", "w", "--json"}).out)->at("reason") == "stop");
}

TEST_CASE("run draws the same tokens from the same seed, and others without one") {
  const ChainFixture chain;
  const auto dice = [&](Arguments more) {
    more.insert(more.begin(), {"-p", "d", "-n", "40", "--quiet"});
    return chain.run(more).out;
  };
  CHECK(dice({"--seed", "1"}) == dice({"--seed", "1"}));
  CHECK(dice({"--seed", "1"}) != dice({"--seed", "2"}));
  CHECK(dice({}) != dice({}));
  CHECK(dice({"--temp", "0"}) == std::string(40, '1'));  // of equals the first
}

TEST_CASE("run tells the seed that it used") {
  const ChainFixture chain;
  const Ended first = chain.run({"-p", "d", "-n", "40", "--json"});
  const auto document = parse_json(first.out);
  REQUIRE(document);
  const std::string seed = document->at("seed").dump();
  CHECK(first.err.find("seed " + seed) != std::string::npos);
  const Ended again = chain.run({"-p", "d", "-n", "40", "--json", "--seed", seed});
  CHECK(parse_json(again.out)->at("tokens") == document->at("tokens"));
}

TEST_CASE("run takes sampling defaults from the model, and options over them") {
  const ChainFixture chain(
      {.declare = [](MetadataDraft& keys) { keys.set_f32("general.sampling.temp", 0); }});
  CHECK(chain.run({"-p", "d", "-n", "9", "--quiet"}).out == "111111111");
  CHECK(chain.run({"-p", "d", "-n", "40", "--temp", "1", "--seed", "3", "--quiet"}).out !=
        std::string(40, '1'));
}

TEST_CASE("run takes what files say for a setting that is off, and as much as it can hold") {
  const ChainFixture chain({.declare = [](MetadataDraft& keys) {
    keys.set_i32("general.sampling.top_k", -1);
    keys.set_i32("general.sampling.penalty_last_n", -1);
  }});
  const Ended end = chain.run({"-p", "a", "--quiet"});
  CHECK(end.err.empty());
  CHECK(end.out == "Hello world!");
  const ChainFixture large({.declare = [](MetadataDraft& keys) {
    keys.set_i32("general.sampling.penalty_last_n", 1'000'000'000);
  }});
  CHECK(
      run_shell("ulimit -v 3000000; \"$nibble\" run '" + large.model + "' -p a -t 1 --quiet").out ==
      "Hello world!");
}

TEST_CASE("run refuses a sampling default out of range, unless an option takes its place") {
  const ChainFixture chain(
      {.declare = [](MetadataDraft& keys) { keys.set_f32("general.sampling.penalty_repeat", 0); }});
  const Ended end = chain.run({"-p", "a"});
  CHECK(end.exit_code == 3);
  CHECK(end.out.empty());
  CHECK(end.err == "nibble: " + chain.model +
                       ": general.sampling.penalty_repeat: 0, expected 0.001 to 1000; "
                       "--repeat-penalty takes its place\n");
  CHECK(chain.run({"-p", "a", "--repeat-penalty", "1", "--quiet"}).out == "Hello world!");
}

TEST_CASE("what a file names its tensors does not drive the terminal") {
  const ChainFixture chain({.unused_tensor = "a\x1b[2J\xC2\x9B"
                                             "31m\xE2\x80\xAE"});
  const std::string shown = "a\\x1b[2J\\xc2\\x9b31m\\xe2\\x80\\xae";
  CHECK(chain.run({"-p", "a"}).err.find("are left out, as " + shown + ";") != std::string::npos);
  for (const char* view : {"--tensors", "--quiet"}) {
    const Ended end = run_program({"inspect", chain.model, view});
    CHECK(end.out.find(shown) != std::string::npos);
    CHECK(end.out.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("run --ignore-eos goes on past every end token") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "s", "-n", "5", "--ignore-eos", "--json", "--temp", "0"});
  const auto document = parse_json(end.out);
  REQUIRE(document);
  CHECK(document->at("n_tokens") == 5);
  CHECK(document->at("reason") == "length");
}

TEST_CASE("run takes no empty standard input, and with --raw an empty prompt that is meant") {
  const ChainFixture chain;
  for (const Arguments& how : {Arguments{"--raw"}, {"--raw", "-f", "-"}, {}})
    CHECK(chain.run(how, "").exit_code == 2);
  CHECK(chain.run({"--raw", "-p", ""}).exit_code == 3);  // this model adds no BOS
}

TEST_CASE("run continues a text as it stands with --raw and on a base model") {
  const ChainFixture chain;
  CHECK(parse_json(chain.run({"--raw", "-p", "ab", "--show-prompt", "--json"}).out)->at("ids") ==
        Json{97, 98});
  const ChainFixture base({.chat_template = false});
  const Ended end = base.run({"-p", "a"});
  CHECK(end.out == "Hello world!");
  CHECK(end.err.find("no chat template") != std::string::npos);
}

TEST_CASE("run --show-prompt tells text and ids, and special tokens of users are text") {
  const ChainFixture chain;
  CHECK(chain.run({"-p", "a", "--show-prompt"}).out == "<|user|>a\n[258,97]\n");
  const auto shown =
      parse_json(chain.run({"-p", "<|end|>a", "-s", "b", "--show-prompt", "--json"}).out);
  REQUIRE(shown);
  CHECK(shown->at("text") == "<|system|>b<|user|><|end|>a");
  CHECK(shown->at("ids") == Json{259, 98, 258, 60, 124, 101, 110, 100, 124, 62, 97});
}

TEST_CASE("run refuses a prompt that does not fit, with numbers and advice") {
  const ChainFixture chain({.n_ctx = 32});
  const Ended given = chain.run({"-p", std::string(20, 'x'), "-c", "16"});
  CHECK(given.exit_code == 4);
  CHECK(given.out.empty());
  CHECK(given.err ==
        "nibble: the prompt has 21 tokens, the context holds 16 (-c); pass -c 21 or more, or a "
        "shorter prompt\n");
  const Ended trained = chain.run({"-p", std::string(40, 'x')});
  CHECK(trained.exit_code == 4);
  CHECK(trained.err ==
        "nibble: the prompt has 41 tokens, the context holds 32; the model was trained for 32: "
        "pass a shorter prompt\n");
}

TEST_CASE("run stops when the context is full, after what it has written, with the reason") {
  const ChainFixture chain;
  const Ended end = chain.run({"-p", "o", "-c", "5", "--quiet"});
  CHECK(end.exit_code == 4);
  CHECK(end.out == " again again again again");
  CHECK(end.err ==
        "nibble: the context of 5 tokens is full before the answer ended; pass a larger -c, or -n "
        "to end earlier\n");
  CHECK(chain.run({"-p", "o", "-c", "5", "-n", "4"}).exit_code == 0);
  CHECK(parse_json(chain.run({"-p", "o", "-c", "5", "--json"}).out)->at("reason") == "context");
}

TEST_CASE("run uses an installed model by name, and the default one without a name") {
  const ChainFixture chain;
  std::filesystem::create_directories(chain.folder.path() / "nibble/models");
  const auto installed = chain.folder.path() / "nibble/models";
  std::filesystem::copy(chain.model, installed / "mine.gguf");
  CHECK(run_program({"run", "mine", "-p", "a", "--quiet"}, {}, chain.home).out == "Hello world!");
  CHECK(run_program({"run", "mine.gguf", "-p", "a", "--quiet"}, {}, chain.home).out ==
        "Hello world!");
  const Ended missing = run_program({"run", "-p", "a"}, {}, chain.home);
  CHECK(missing.exit_code == 3);
  CHECK(missing.err.find("the default one is not installed") != std::string::npos);
  std::filesystem::copy(chain.model, installed / "SmolLM2-135M-Instruct.Q4_1.gguf");
  CHECK(run_program({"run", "-p", "a", "--quiet"}, {}, chain.home).out == "Hello world!");
}

TEST_CASE("run takes a chat template from a file, and tells where one is wrong") {
  const ChainFixture chain;
  const auto good = chain.folder.write("good.jinja", "{{ messages[0].content }}");
  const auto broken = chain.folder.write("broken.jinja", "{% if %}");
  const auto raises = chain.folder.write("raises.jinja", "{{ raise_exception('no such role') }}");
  CHECK(parse_json(
            chain.run({"-p", "a", "--chat-template-file", good, "--show-prompt", "--json"}).out)
            ->at("text") == "a");
  const Ended syntax = chain.run({"-p", "a", "--chat-template-file", broken});
  CHECK(syntax.exit_code == 3);
  CHECK(syntax.err.find("line 1") != std::string::npos);
  const Ended raised = chain.run({"-p", "a", "--chat-template-file", raises});
  CHECK(raised.exit_code == 3);
  CHECK(raised.out.empty());
  CHECK(raised.err.find("no such role") != std::string::npos);
}

TEST_CASE("run gives the same tokens for any number of threads and any batch") {
  const TemporaryFolder folder;
  const std::string model = folder.path() / "random.gguf";
  write_random_model(model);
  std::string prompt;
  for (int i = 0; i < 700; ++i) prompt += static_cast<char>(' ' + i * 7 % 90);
  const auto tokens = [&](Arguments more) {
    Arguments all{"run", model,    "--raw", "-p",           prompt,   "-n",
                  "24",  "--seed", "5",     "--ignore-eos", "--json", "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    const auto document = parse_json(run_program(all).out);
    REQUIRE(document);
    return dump_json(document->at("tokens"));
  };
  const std::string expected = tokens({"-t", "1"});
  for (const char* threads : {"2", "4"}) CHECK(tokens({"-t", threads}) == expected);
  for (const char* batch : {"1", "7", "64", "512"})
    CHECK(tokens({"-t", "2", "-b", batch}) == expected);
}

TEST_CASE("run reads a folder, and its sampling defaults from generation_config.json") {
  NIBBLE_NEED_DATA("reference-models/llama");
  const TemporaryFolder folder;
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"})
    std::filesystem::copy(data_dir() / "reference-models/llama" / name, folder.path() / name);
  const auto text = [&](const char* seed) {
    return run_program({"run", folder.path(), "--raw", "-p", "Hello", "-n", "20", "--seed", seed,
                        "--quiet", "--ignore-eos"})
        .out;
  };
  CHECK(text("1") != text("2"));
  folder.write("generation_config.json", R"({"top_k": 1, "temperature": 0.6})");
  CHECK(text("1") == text("2"));
}

TEST_CASE("run, eval and bench take the types of the key-value cache, keys and values apart") {
  const ChainFixture chain;
  for (const char* type : {"f32", "f16", "bf16", "q8_0", "q4_0", "q8_0,f16", "f16,q4_0"})
    CHECK(chain.run({"-p", "a", "--quiet", "--kv-type", type}).out == "Hello world!");
  for (const char* type : {"q9", "f16,", ",f16", "f16,f16,f16"}) {
    const Ended end = chain.run({"-p", "a", "--kv-type", type});
    CHECK(end.exit_code == 2);
    CHECK(end.err.find("expected f32, f16, bf16, q8_0 or q4_0") != std::string::npos);
  }
  CHECK(chain.run({"-p", "a", "--kv-type", ""}).exit_code == 2);
  const Arguments greedy = {"eval", chain.model, "--token-ids", "97", "--greedy", "4"};
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), greedy.begin(), greedy.end());
    return run_program(more);
  };
  CHECK(with({"--fast", "--kv-type", "q8_0"}).out == "[260, 261, 33, 256]\n");
  CHECK(with({"--kv-type", "q8_0"}).exit_code == 2);  // exact results have an f32 cache
  const Ended bench = run_program({"bench", chain.model, "-p", "0", "-n", "2", "-r", "1", "-t", "1",
                                   "--kv-type", "q8_0,f16", "--json"});
  const auto tests = parse_json(bench.out);
  REQUIRE(tests);
  CHECK(tests->at(0)["kv_type"] == "q8_0,f16");
}
