// Input is never output, and outputs are not one file: whatever the option, by whatever name.
#include <filesystem>
#include <map>
#include <string>

#include "tests/cli/adapted_model.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

// Runs in a folder with model/, model.gguf, adapter/, text.json and imatrix.dat, as the shell
// would.
struct Files : AdaptedModel {
  Files() {
    std::string text;
    for (int i = 0; i < 1100; ++i) text += i % 3 ? " again" : " two";
    folder.write("text.json", text);
    folder.write("model/nested/notes.txt", "mine");
    std::filesystem::create_hard_link(gguf, folder.path() / "hard.npy");
    std::filesystem::create_symlink("model/config.json", folder.path() / "symbolic.npy");
    REQUIRE(in_folder("quantize model.gguf q.gguf --type q4_0 --calibrate text.json "
                      "--save-imatrix imatrix.dat")
                .exit_code == 0);
  }
  Ended in_folder(const std::string& command) const {
    return run_shell("cd '" + folder.path().string() + "' && $nibble " + command);
  }
  // Names and bytes of all files.
  std::string all() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      const std::string name = entry.path().lexically_relative(folder.path());
      found[name] = entry.is_regular_file() ? folder.read(name) : "";
    }
    std::string text;
    for (const auto& [name, bytes] : found) text += name + "\n" + bytes + "\n";
    return text;
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kOverInputs[] = {
    "eval model.gguf --token-ids 1,2,3 --logits model.gguf",
    "eval model.gguf --token-ids 1,2,3 --logits hard.npy",
    "eval model --token-ids 1,2,3 --logits model/model.safetensors",
    "eval model --token-ids 1,2,3 --logits symbolic.npy",
    "eval model.gguf --lora adapter --token-ids 1,2 --logits adapter/adapter_config.json",
    "quantize model.gguf out.gguf --type q8_0 --calibrate text.json --save-imatrix model.gguf "
    "--force",
    "quantize model.gguf out.gguf --type q8_0 --calibrate text.json --save-imatrix text.json "
    "--force",
    "quantize model.gguf out.gguf --type q8_0 --imatrix imatrix.dat --save-imatrix ./imatrix.dat "
    "--force",
    "quantize model.gguf out.gguf --type q8_0 --report text.json --report-text text.json --force",
    "quantize model.gguf text.json --type q8_0 --calibrate text.json --force",
    "quantize model.gguf text.json --size 500k --calibrate text.json --force",
    "quantize model out.gguf --type q8_0 --report model/config.json --force",
    "quantize model.gguf out.gguf --type q8_0 --also imatrix.dat=q4_0 --imatrix imatrix.dat "
    "--force",
    "convert model -o model/config.json --force",
    "convert model -o model/nested/notes.txt --force",
    "convert model --lora adapter -o adapter/adapter_model.safetensors --force",
    "convert model.gguf --lora adapter -o adapter/adapter_config.json --force",
    "convert adapter --base model -o adapter/adapter_model.safetensors --force",
    "convert adapter --base model -o model/tokenizer.json --force",
    "convert adapter --base model.gguf -o model.gguf --force",
    "convert adapter/adapter_model.safetensors --base model -o adapter/adapter_config.json --force",
};

}  // namespace

TEST_CASE("no output is an input") {
  const Files f;
  const std::string before = f.all();
  for (const std::string command : kOverInputs) {
    CAPTURE(command);
    const Ended end = f.in_folder(command);
    CHECK(end.exit_code == 2);
    CHECK_MESSAGE(contains(end.err, ": is what is read"), end.err);
    CHECK_FALSE(contains(end.err, "calibrated"));
    CHECK((f.all() == before));
  }
}

TEST_CASE("a folder that holds an input is not replaced") {
  const Files f;
  std::filesystem::rename(f.gguf, f.folder.path() / "model/nested/model.gguf");
  f.folder.write("adapter/config.json", "{}");
  const std::string before = f.all();
  for (const std::string command :
       {"convert model/nested/model.gguf --to hf -o model --force",
        "convert model --to hf -o model --type f32 --force",
        "convert model --lora adapter --to hf -o adapter --type f32 --force"}) {
    CAPTURE(command);
    const Ended end = f.in_folder(command);
    CHECK(end.exit_code == 2);
    CHECK_MESSAGE(contains(end.err, ": holds what is read"), end.err);
    CHECK((f.all() == before));
  }
}

TEST_CASE("beside the files that are read there is room") {
  const Files f;
  for (const std::string command :
       {"convert model -o model/model.gguf", "convert model -o model/model.gguf --force",
        "convert model.gguf -o model.gguf --max-shard 100k",
        "quantize model model/q8.gguf --type q8_0 --report model/r.json",
        "eval model --token-ids 1,2,3 --logits model/logits.npy"}) {
    CAPTURE(command);
    const Ended end = f.in_folder(command);
    CHECK_MESSAGE(end.exit_code == 0, end.err);
  }
}

TEST_CASE("outputs that cannot be written are found before work starts") {
  const Files f;
  f.folder.write("there.gguf", "mine");
  const std::string before = f.all();
  for (const auto& [code, more] :
       {std::pair<int, std::string>{6, "out.gguf --type q8_0 --report none/r.json"},
        {6, "out.gguf --type q8_0 --calibrate text.json --save-imatrix none/imatrix.gguf"},
        {6, "out.gguf --type q8_0 --calibrate text.json --save-imatrix none/imatrix.dat"},
        {6, "none/out.gguf --type q8_0 --calibrate text.json"},
        {6, "none/out.gguf --bpw 31 --calibrate text.json"},
        {2, "there.gguf --bpw 31 --calibrate text.json"},
        {6, "out.gguf --type q8_0 --calibrate text.json --also none/out.gguf=q4_0"}}) {
    CAPTURE(more);
    const Ended end = f.in_folder("quantize model.gguf " + more);
    CHECK_MESSAGE(end.exit_code == code, end.err);
    CHECK_FALSE(contains(end.err, "calibrated"));
    CHECK((f.all() == before));
  }
}

TEST_CASE("a model is written to a regular file alone") {
  const Files f;
  const std::string before = f.all();
  for (const std::string command :
       {"quantize model.gguf /dev/null --type q8_0 --force",
        "quantize model.gguf /dev/null --type q8_0 --calibrate text.json",
        "quantize model.gguf out.gguf --type q8_0 --calibrate text.json --save-imatrix /dev/null "
        "--force",
        "convert model -o /dev/null", "convert adapter --base model -o /dev/null"}) {
    CAPTURE(command);
    const Ended end = f.in_folder(command);
    CHECK(end.exit_code == 6);
    CHECK_MESSAGE(end.err == "nibble: /dev/null: is no regular file\n", end.err);
    CHECK((f.all() == before));
  }
}

TEST_CASE("outputs are not one file, whatever their names") {
  const Files f;
  const std::string before = f.all();
  for (const std::string more :
       {"--type q8_0 --also ./out.gguf=q4_0", "--type q8_0 --also model/../out.gguf=q4_0",
        "--type q8_0 --calibrate text.json --save-imatrix out.gguf",
        "--size 500k --calibrate text.json --save-imatrix out.gguf",
        "--size 500k --calibrate text.json --also ./out.gguf=q4_0",
        "--type q8_0 --calibrate text.json --save-imatrix r.json --report ./r.json",
        "--type q8_0 --dry-run --also ./out.gguf=q4_0"}) {
    CAPTURE(more);
    const Ended end = f.in_folder("quantize model.gguf out.gguf " + more);
    CHECK(end.exit_code == 2);
    CHECK_MESSAGE(contains(end.err, ": is asked for twice"), end.err);
    CHECK_FALSE(contains(end.err, "calibrated"));
    CHECK((f.all() == before));
  }
}
