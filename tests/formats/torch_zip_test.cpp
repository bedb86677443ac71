// PyTorch checkpoints: the archive, the pickle, and what they make together.
#include "formats/torch_zip.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "formats/pickle.h"
#include "formats/zip.h"
#include "tests/formats/checkpoint_bytes.h"

using namespace nibble;
using namespace nibble::tests;

namespace {
// A literal with zeros in it.
template <size_t kSize>
std::string lit(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

struct Row {
  const char* what;
  std::string bytes;
  ErrorKind kind;
  const char* words;
};

template <class Read>
void check_rows(std::span<const Row> rows, Read read) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto result = read(std::as_bytes(std::span(row.bytes)));
    REQUIRE(!result);
    CAPTURE(result.error().message);
    CHECK(result.error().kind == row.kind);
    CHECK(result.error().message.find(row.words) != std::string::npos);
    CHECK(result.error().message.find('\n') == std::string::npos);
  }
}

auto read(const std::string& bytes) { return read_torch_zip(std::as_bytes(std::span(bytes))); }
auto read_entries(const std::string& bytes) { return read_zip(std::as_bytes(std::span(bytes))); }

constexpr std::string_view kAllowed[] = {"collections OrderedDict", "torch FloatStorage"};
auto read_value(std::string_view pickle, const PickleBudget& budget = {}) {
  return read_pickle(std::as_bytes(std::span(pickle)), kAllowed, budget);
}

const std::string kEight(32, '\1');  // a storage of eight floats

// A checkpoint of one tensor 'w' over a storage of eight floats.
std::string one(const std::vector<int32_t>& sizes, const std::vector<int32_t>& strides,
                int32_t offset = 0, int32_t n_storage = 8) {
  return torch_file(pickle_dict(torch_tensor("w", torch_storage("FloatStorage", "0", n_storage),
                                             offset, sizes, strides)),
                    {{"0", kEight}});
}
}  // namespace

TEST_CASE("zip archives: stored entries, with zip64 and comments") {
  for (const bool zip64 : {false, true}) {
    const std::string bytes =
        zip({{.name = "a/x", .content = "hello", .zip64 = zip64}, {.name = "b", .content = ""}},
            {.comment = "PK\5\6 no end", .zip64 = zip64});
    const auto entries = read_entries(bytes);
    REQUIRE(entries);
    CHECK(entries->size() == 2);
    const auto content = entries->find("a/x")->second;
    CHECK(std::string_view(reinterpret_cast<const char*>(content.data()), content.size()) ==
          "hello");
    CHECK(entries->find("b")->second.empty());
  }
}

TEST_CASE("damaged zip archives are refused") {
  using enum ErrorKind;
  const std::string good = zip({{.name = "a", .content = "hello"}});
  const Row rows[] = {
      {"empty", "", kCorrupt, "too few"},
      {"no end", std::string(100, 'x'), kCorrupt, "no end of a zip archive"},
      {"cut off", good.substr(0, good.size() - 1), kCorrupt, "no end of a zip archive"},
      {"bytes behind", good + "x", kCorrupt, "no end of a zip archive"},
      {"directory outside", zip({{.name = "a", .content = "hello"}}, {.offset_more = 1000}),
       kCorrupt, "lies outside of the file"},
      {"directory elsewhere", zip({{.name = "a", .content = "hello"}}, {.offset_more = -3}),
       kCorrupt, "no entry begins"},
      {"too many entries", zip({{.name = "a", .content = "hello"}}, {.n_entries_more = 7}),
       kCorrupt, "8 zip entries announced"},
      {"compressed", zip({{.name = "a", .content = "hello", .method = 8}}), kUnsupported,
       "'a': compressed (method 8)"},
      {"encrypted", zip({{.name = "a", .content = "hello", .flags = 1}}), kUnsupported,
       "'a': encrypted"},
      {"entry into the directory", zip({{.name = "a", .content = "hello", .size_more = 1}}),
       kCorrupt, "reach into the directory"},
      {"entry of 4 GB", zip({{.name = "a", .content = "hello", .size_more = 0xfffffff0}}), kCorrupt,
       "reach into the directory"},
      {"entry of 2^64-1", zip({{.name = "a", .content = "hello", .size_more = -6, .zip64 = true}}),
       kCorrupt, "reach into"},
      {"header elsewhere", zip({{.name = "a", .content = "hello", .offset_more = 2}}), kCorrupt,
       "no header stands at byte 2"},
      {"header beyond the file", zip({{.name = "a", .content = "hello", .offset_more = 1 << 20}}),
       kCorrupt, "no header stands"},
      {"header at 2^64-2",
       zip({{.name = "a", .content = "hello", .offset_more = -2, .zip64 = true}}), kCorrupt,
       "no header stands"},
      {"another name", zip({{.name = "a", .content = "hello", .local_name = "b"}}), kCorrupt,
       "'a': named 'b'"},
      {"name twice", zip({{.name = "a", .content = "x"}, {.name = "a", .content = "y"}}), kCorrupt,
       "'a' stands there twice"},
      {"overlap",
       zip({{.name = "a", .content = "0123456789", .size_more = 20},
            {.name = "b", .content = "x"}}),
       kCorrupt, "'b': begins inside of another one"},
      {"zip64 locator to nowhere",
       GgufBytes().raw("PK\6\7").u32(0).u64(~uint64_t{0}).u32(1).raw("PK\5\6").zeros(18), kCorrupt,
       "no zip64 end record"},
      {"zip64 without its record",
       GgufBytes().raw("PK\5\6").u32(0).u32(0xffffffff).u32(0xffffffff).u32(0xffffffff).zeros(2),
       kCorrupt, "without its end record"},
  };
  check_rows(rows, [](auto bytes) { return read_zip(bytes); });
  for (size_t n = 0; n < good.size(); ++n) CHECK(!read_entries(good.substr(0, n)));
}

TEST_CASE("pickles are read as data") {
  using Kind = PickleNode::Kind;
  const std::string list = lit("\x80\x02(K\x07J\xfe\xff\xff\xff\x88NX\1\0\0\0aq\x05h\x05]K\1at.");
  const auto tuple = read_value(list);
  REQUIRE_MESSAGE(tuple, tuple.error().message);
  const PickleNode& root = (*tuple)->root();
  CHECK(root.kind == Kind::kTuple);
  REQUIRE(root.items.size() == 7);
  CHECK(root.items[0]->number == 7);
  CHECK(root.items[1]->number == -2);
  CHECK(root.items[2]->kind == Kind::kBool);
  CHECK(root.items[3]->kind == Kind::kNone);
  CHECK(root.items[4]->text == "a");
  CHECK(root.items[5] == root.items[4]);
  CHECK(root.items[6]->items[0]->number == 1);
  const auto longs = read_value(lit("\x80\x02\x8a\x02\x00\x80."));
  REQUIRE(longs);
  CHECK((*longs)->root().number == -32768);
  const auto real = read_value(lit("G\x3f\xe0\0\0\0\0\0\0."));
  REQUIRE(real);
  CHECK((*real)->root().real == 0.5);
  const auto call = read_value("ccollections\nOrderedDict\n)R.");
  REQUIRE(call);
  CHECK((*call)->root().kind == Kind::kDict);
  const auto cycle = read_value("]q\1h\1a.");  // freed all the same: the leak check sees it
  REQUIRE(cycle);
  CHECK((*cycle)->root().items[0] == &(*cycle)->root());
}

TEST_CASE("pickles that ask for anything else are refused, and nothing is run") {
  using enum ErrorKind;
  const Row rows[] = {
      {"os.system", "cos\nsystem\n(X\4\0\0\0touctR.", kUnsupported, "byte 0: asks for 'os.system'"},
      {"builtins.eval by the stack",
       "\x8c\x08"
       "builtins"
       "\x8c\x04"
       "eval"
       "\x93.",
       kUnsupported, "asks for 'builtins.eval'"},
      {"name with a newline inside",
       "\x8c\x02"
       "o\n"
       "\x8c\x01"
       "x"
       "\x93.",
       kUnsupported, "'o\\x0a.x'"},
      {"allowed module, other name", "ctorch\nload\n.", kUnsupported, "'torch.load'"},
      {"allowed name split elsewhere", "ccollections OrderedDict\n\n.", kUnsupported, "asks for"},
      {"INST", "(ios\nsystem\n.", kUnsupported, "opcode 0x69 is not read"},
      {"OBJ", "(o.", kUnsupported, "opcode 0x6f"},
      {"NEWOBJ", "ctorch\nFloatStorage\n)\x81.", kUnsupported, "opcode 0x81"},
      {"EXT1", "\x82\x01.", kUnsupported, "opcode 0x82"},
      {"PERSID", "Pabc\n.", kUnsupported, "opcode 0x50"},
      {"text integer", "I01\n.", kUnsupported, "opcode 0x49"},
  };
  check_rows(rows, [](auto bytes) { return read_pickle(bytes, kAllowed); });
}

TEST_CASE("damaged pickles are refused with their byte") {
  using enum ErrorKind;
  const Row rows[] = {
      {"empty", "", kCorrupt, "byte 0"},
      {"no end", "\x80\x02}", kCorrupt, "byte 3"},
      {"end without a value", "\x80\x02.", kCorrupt, "byte 2: a value is missing"},
      {"end at a mark", "(.", kCorrupt, "a value is missing"},
      {"values left", "NN.", kCorrupt, "values are left"},
      {"tuple without a mark", "Nt.", kCorrupt, "a mark is missing"},
      {"pair without values", "N\x86.", kCorrupt, "a value is missing"},
      {"pair over a mark", "N(N\x86.", kCorrupt, "a value is missing"},
      {"items without a dictionary", "](NNu.", kCorrupt, "no dictionary"},
      {"item without a dictionary", "NNNs.", kCorrupt, "no dictionary"},
      {"key without value", "}(Nu.", kCorrupt, "a key without a value"},
      {"append to a dictionary", "}Na.", kCorrupt, "no list"},
      {"recall of nothing", "h\5.", kCorrupt, "value 5 was never remembered"},
      {"remember nothing", "q\5.", kCorrupt, "nothing to remember"},
      {"remember a mark", "(q\5.", kCorrupt, "nothing to remember"},
      {"call of a number", "K\1)R.", kCorrupt, "a call of something"},
      {"call with a list", "ctorch\nFloatStorage\n]R.", kCorrupt, "a call of something"},
      {"persistent id missing", "Q.", kCorrupt, "a value is missing"},
      {"state of a number", "K\1}b.", kCorrupt, "a state for something"},
      {"text beyond the end",
       lit("X\xff\xff\xff\xff"
           "abc"),
       kCorrupt, "byte 5"},
      {"text of 2^64-1", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", kCorrupt, "byte 9"},
      {"global without an end", "ctorch", kCorrupt, "a line without an end"},
      {"global of numbers", "K\1K\2\x93.", kCorrupt, "a global without a name"},
      {"integer of nine bytes", lit("\x8a\x09\0\0\0\0\0\0\0\0\1."), kUnsupported,
       "an integer of 9 bytes"},
  };
  check_rows(rows, [](auto bytes) { return read_pickle(bytes, kAllowed); });
}

TEST_CASE("pickle budgets: just below passes, just above does not") {
  const PickleBudget small{.bytes = 100, .nodes = 10, .stack = 5, .memo = 3, .marks = 4};
  const auto says = [&](std::string_view pickle, const char* words) {
    const auto result = read_value(pickle, small);
    if (!result)
      CHECK_MESSAGE(result.error().message.find(words) != std::string::npos,
                    result.error().message);
    return result.has_value();
  };
  const auto repeated = [](std::string_view text, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += text;
    return out;
  };
  CHECK(says("]" + repeated("Na", 9) + ".", ""));
  CHECK(!says("]" + repeated("Na", 10) + ".", "more than 10 values"));
  CHECK(says("(" + repeated("N", 4) + "t.", ""));
  CHECK(!says("(" + repeated("N", 5) + "t.", "more than 5 values on the stack"));
  CHECK(says("Nq\1q\2q\3q\1.", ""));
  CHECK(!says("Nq\1q\2q\3q\4.", "more than 3 remembered"));
  CHECK(says("((((tttt.", ""));
  CHECK(!says("(((((ttttt.", "more than 4 open marks"));
  CHECK(says(std::string(98, ' ').replace(0, 2, "N.") + "  ", ""));
  CHECK(!says(std::string(101, 'N'), "more than 100"));
}

TEST_CASE("PyTorch checkpoints: tensors borrow from their storages") {
  const std::string shared = torch_storage("BFloat16Storage", "7", 16);
  const std::string bytes = torch_file(
      pickle_dict(torch_tensor("a", shared, 4, {2, 1, 3}, {3, 99, 1}) +
                  torch_tensor("b", shared, 0, {16}, {1}) + pickle_text("step") + "K\1" +
                  torch_tensor("scalar", torch_storage("FloatStorage", "0", 8), 7, {}, {})),
      {{"7", kEight}, {"0", kEight}});
  const auto tensors = read(bytes);
  REQUIRE_MESSAGE(tensors, tensors.error().message);
  REQUIRE(tensors->size() == 3);
  CHECK((*tensors)[0].name == "a");
  CHECK(to_string((*tensors)[0].shape) == "[2, 1, 3]");
  CHECK((*tensors)[0].bytes.data() == (*tensors)[1].bytes.data() + 8);
  CHECK((*tensors)[1].type->name == "BF16");
  CHECK((*tensors)[2].bytes.size() == 4);
}

TEST_CASE("PyTorch checkpoints: strides of a tensor without elements say nothing") {
  const int32_t n = 2147483647;
  const auto tensors = read(one({0, n, n, n}, {7, n, n, 1}));
  REQUIRE_MESSAGE(tensors, tensors.error().message);
  CHECK(tensors->front().bytes.empty());
}

TEST_CASE("damaged PyTorch checkpoints are refused, naming the tensor") {
  using enum ErrorKind;
  REQUIRE(read(one({8}, {1})));
  const auto pickled = [](const std::string& items) {
    return torch_file(pickle_dict(items), {{"0", kEight}});
  };
  const std::string storage = torch_storage("FloatStorage", "0", 8);
  const Row rows[] = {
      {"legacy", "\x80\x02\x8a\nl\xfc\x9c", kUnsupported, "from before version 1.6"},
      {"no zip", "hello, I am no archive at all", kCorrupt, "no end of a zip archive"},
      {"no pickle", zip({{.name = "m/version", .content = "3"}}), kUnsupported,
       "0 entries 'data.pkl'"},
      {"two pickles",
       zip({{.name = "m/data.pkl", .content = "N."}, {.name = "n/data.pkl", .content = "N."}}),
       kUnsupported, "2 entries"},
      {"big-endian",
       zip({{.name = "m/data.pkl", .content = "N."}, {.name = "m/byteorder", .content = "big"}}),
       kUnsupported, "big-endian"},
      {"no dictionary", zip({{.name = "m/data.pkl", .content = "N."}}), kUnsupported,
       "no dictionary of tensors"},
      {"no tensors", pickled(pickle_text("a") + "K\1"), kUnsupported, "without a tensor"},
      {"canary",
       pickled(pickle_text("w") + "cos\nsystem\n(" + pickle_text("touch /tmp/nibble-canary") +
               "tR"),
       kUnsupported, "asks for 'os.system'"},
      {"storage missing", torch_file(pickle_dict(torch_tensor("w", storage, 0, {8}, {1})), {}),
       kCorrupt, "'w': zip entry '0' is missing"},
      {"storage too short", one({8}, {1}, 0, 9), kCorrupt,
       "'w': a storage of 9 elements, but its entry has 32 bytes"},
      {"storage of -1", one({8}, {1}, 0, -1), kCorrupt, "'w': a storage of -1"},
      {"beyond the storage", one({8}, {1}, 1), kCorrupt, "'w': elements 1+8 of a storage of 8"},
      {"negative offset", one({8}, {1}, -1), kCorrupt, "'w': elements -1+8"},
      {"more elements than the storage", one({9}, {1}), kCorrupt, "'w': elements 0+9"},
      {"negative size", one({-8}, {1}), kCorrupt, "'w': a size of -8"},
      {"huge sizes", one({2147483647, 2147483647, 2147483647}, {1, 1, 1}), kCorrupt,
       "'w': a size of"},
      {"transposed", one({2, 4}, {1, 2}), kUnsupported, "'w': stored with a stride of 2 where 1"},
      {"strides missing", one({2, 4}, {4}), kCorrupt, "'w': 2 sizes, but 1 strides"},
      {"storage type unknown",
       pickled(torch_tensor("w", torch_storage("QInt8Storage", "0", 8), 0, {8}, {1})), kUnsupported,
       "'torch.QInt8Storage'"},
      {"storage is a number", pickled(torch_tensor("w", "K\1", 0, {8}, {1})), kCorrupt,
       "'w': its storage is not described"},
      {"storage of another kind",
       pickled(torch_tensor("w", "(" + pickle_text("module") + "tQ", 0, {8}, {1})), kCorrupt,
       "'w': its storage"},
      {"storage key leads elsewhere",
       torch_file(pickle_dict(torch_tensor(
                      "w", torch_storage("FloatStorage", "../../etc/passwd", 8), 0, {8}, {1})),
                  {}),
       kCorrupt, "zip entry '../../etc/passwd' is missing"},
      {"no arguments", pickled(pickle_text("w") + "ctorch._utils\n_rebuild_tensor_v2\n)R"),
       kCorrupt, "'w': is not described"},
      {"sizes a text",
       pickled(pickle_text("w") + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + lit("K\0") +
               pickle_text("8") + "(K\1ttR"),
       kCorrupt, "'w': is not described"},
  };
  check_rows(rows, [](auto bytes) { return read_torch_zip(bytes); });
  CHECK(!std::filesystem::exists("/tmp/nibble-canary"));
}
