// GGUF files as nibble writes them, read back and held against their source.
#include "formats/gguf_write.h"

#include <doctest/doctest.h>

#include "formats/checksum.h"
#include "formats/gguf_encode.h"
#include "formats/metadata_draft.h"
#include "formats/weight_file.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/temporary_folder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

const quant::Format& f32() { return *quant::find_format("f32"); }

gguf::TensorPlan matrix(std::string name, int64_t n_rows, int64_t n_cols) {
  return {std::move(name), &f32(), {2, {n_rows, n_cols}}};
}

// Values that tell tensor and place apart.
std::vector<float> values_of(const gguf::TensorPlan& t, float seed) {
  std::vector<float> x(static_cast<size_t>(t.shape.n_elements()));
  for (size_t i = 0; i < x.size(); ++i) x[i] = seed + static_cast<float>(i);
  return x;
}

Result<std::vector<gguf::Shard>> write_model(const gguf::FilePlan& plan, bool overwrite = false) {
  auto shards = gguf::lay_out(plan);
  NIBBLE_TRY(auto writer, gguf::Writer::create(shards, plan.tensors, overwrite));
  float seed = 0;
  for (const auto& t : plan.tensors) {
    const auto x = values_of(t, seed += 1000);
    const auto bytes = std::as_bytes(std::span(x));
    NIBBLE_CHECK(writer.write(bytes.first(bytes.size() / 2)));
    NIBBLE_CHECK(writer.write(bytes.subspan(bytes.size() / 2)));
  }
  NIBBLE_CHECK(writer.commit());
  return shards;
}

std::string every_value_type() {
  GgufBytes b(0, 15);
  b.key_text("general.architecture", "llama").key("u8", 0).u8(200).key("i8", 1).u8(200);
  b.key("u16", 2)
      .value(uint16_t{65000})
      .key("i16", 3)
      .value(int16_t{-3})
      .key_u32("u32", 4000000000);
  b.key("i32", 5).value(int32_t{-7}).key("f32", 6).value(0.1f).key("bool", 7).u8(1);
  b.key("u64", 10).u64(uint64_t{1} << 63).key("i64", 11).value(int64_t{-1} << 62);
  b.key("f64", 12).value(0.1);
  b.array("floats", 6, 2).value(1e-45f).value(-0.0f).array("none", 8, 0);
  return b.array("texts", 8, 2).text("\xff\x00").text("");
}

}  // namespace

TEST_CASE("every type of value is copied byte for byte") {
  const std::string file = every_value_type();
  const auto header = gguf::read_header(std::as_bytes(std::span(file)));
  REQUIRE(header.has_value());
  gguf::Encoder out;
  for (const auto& entry : header->metadata.entries()) out.entry(entry);
  CHECK(out.bytes() == file.substr(24));
}

TEST_CASE("a draft replaces where the key stands and adds at the end") {
  const std::string file = every_value_type();
  const auto header = gguf::read_header(std::as_bytes(std::span(file)));
  REQUIRE(header.has_value());
  MetadataDraft draft(header->metadata);
  draft.set_u32("u8", 7);
  draft.set_text("new", "text");
  draft.remove("i8");
  draft.remove_prefix("u1");
  CHECK(draft.entries()[1].key == "u8");
  CHECK(std::get<uint64_t>(*draft.find("u8")) == 7);
  CHECK(draft.entries().back().key == "new");
  CHECK(!draft.find("i8"));
  CHECK(!draft.find("u16"));
}

TEST_CASE("what is written reads back, with checksums, to the byte that was forecast") {
  const TemporaryFolder folder;
  MetadataDraft draft;
  draft.set_text("general.architecture", "llama");
  draft.set_u32("general.alignment", 64);  // not what the writer does: left out
  const std::vector<float> floats{1, 2};
  draft.set_f32s("floats", floats);
  gguf::FilePlan plan{
      folder.path() / "out.gguf", draft.entries(), {matrix("a", 3, 5), matrix("b", 7, 1)}};
  const auto shards = write_model(plan);
  REQUIRE(shards.has_value());
  REQUIRE(shards->size() == 1);
  CHECK(std::filesystem::file_size(plan.target) == (*shards)[0].n_bytes);
  CHECK(folder.n_files() == 1);

  const auto file = open_weight_file(plan.target);
  REQUIRE(file.has_value());
  CHECK(!(*file)->metadata().find("general.alignment"));
  const auto sums = (*file)->metadata().get_strings(gguf::kChecksumsKey);
  REQUIRE(sums.has_value());
  REQUIRE(*sums != nullptr);
  float seed = 0;
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const TensorView& got = (*file)->tensors()[i];
    CHECK(got.name == plan.tensors[i].name);
    CHECK(got.shape == plan.tensors[i].shape);
    const auto x = values_of(plan.tensors[i], seed += 1000);
    CHECK(std::ranges::equal(got.bytes, std::as_bytes(std::span(x))));
    CHECK((**sums)[i] == xxh3_128(got.bytes));
  }
}

TEST_CASE("a split model is read as one, no file larger than asked for") {
  const TemporaryFolder folder;
  MetadataDraft draft;
  draft.set_text("general.architecture", "llama");
  gguf::FilePlan plan{folder.path() / "out.gguf", draft.entries(), {}, 20000};
  for (int i = 0; i < 9; ++i) plan.tensors.push_back(matrix(fmt::format("t{}", i), 25, 25));
  plan.tensors.push_back(matrix("larger than a file", 100, 100));
  const auto shards = write_model(plan);
  REQUIRE(shards.has_value());
  CHECK(folder.n_files() == shards->size());
  CHECK(shards->size() >= 3);
  for (const auto& shard : *shards) {
    CHECK(std::filesystem::file_size(shard.path) == shard.n_bytes);
    CHECK((shard.n_bytes <= 20000 || shard.n_tensors == 1));
  }
  const auto file = open_weight_file((*shards)[1].path);
  REQUIRE(file.has_value());
  CHECK((*file)->tensors().size() == plan.tensors.size());
  CHECK((*file)->files().size() == shards->size());
}

TEST_CASE("of a split model no file stays when one cannot get its name") {
  const TemporaryFolder folder;
  std::vector<gguf::TensorPlan> tensors;
  for (int i = 0; i < 3; ++i) tensors.push_back(matrix(std::to_string(i), 64, 64));
  const auto shards = gguf::lay_out({folder.path() / "out.gguf", {}, tensors, 20'000});
  REQUIRE(shards.size() == 3);
  const std::vector<float> values(size_t{64} * 64);
  {
    auto writer = gguf::Writer::create(shards, tensors, false);
    REQUIRE(writer);
    for (int i = 0; i < 3; ++i) REQUIRE(writer->write(std::as_bytes(std::span(values))));
    folder.write(shards[0].path.filename(), "somebody else's");
    CHECK_FALSE(writer->commit());
  }
  CHECK(folder.n_files() == 1);
}

TEST_CASE("without commit nothing stays, and an existing file is refused") {
  const TemporaryFolder folder;
  MetadataDraft draft;
  gguf::FilePlan plan{folder.path() / "out.gguf", draft.entries(), {matrix("a", 2, 2)}};
  {
    auto writer = gguf::Writer::create(gguf::lay_out(plan), plan.tensors, false);
    REQUIRE(writer.has_value());
    CHECK(folder.n_files() == 2);  // the hidden file and its journal
  }
  CHECK(folder.n_files() == 0);
  folder.write("out.gguf", "mine");
  const auto refused = write_model(plan);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().kind == ErrorKind::kUsage);
  CHECK(folder.read("out.gguf") == "mine");
  CHECK(write_model(plan, true).has_value());
  CHECK(folder.read("out.gguf").starts_with("GGUF"));
}
