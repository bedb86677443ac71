// Decoding against the values that the gguf package gives for random blocks.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "quant/dispatch.h"
#include "quant/format.h"
#include "tests/test_data.h"

using namespace nibble;

namespace {

std::vector<char> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// How many values differ; any NaN equals any other.
int count_differences(const std::vector<float>& got, const float* want) {
  int n = 0;
  for (size_t i = 0; i < got.size(); ++i)
    n += std::memcmp(&got[i], &want[i], 4) != 0 && !(got[i] != got[i] && want[i] != want[i]);
  return n;
}

}  // namespace

TEST_CASE("every format decodes as the gguf package does, on every instruction set") {
  NIBBLE_NEED_DATA("quant-blocks");
  for (const auto isa : quant::runnable_isas()) {
    REQUIRE(quant::force_isa(isa));
    for (const quant::Format* format : quant::formats()) {
      const auto base = tests::data_dir() / "quant-blocks" / std::string(format->name);
      if (!std::filesystem::exists(base.string() + ".blocks")) continue;
      const auto blocks = read_file(base.string() + ".blocks"),
                 want = read_file(base.string() + ".f32");
      std::vector<float> got(want.size() / 4);
      REQUIRE(format->row_bytes(static_cast<int64_t>(got.size())) == blocks.size());
      quant::kernels(*format).dequantize(reinterpret_cast<const std::byte*>(blocks.data()),
                                         static_cast<int64_t>(got.size()), got.data());
      CAPTURE(isa);
      CAPTURE(format->name);
      CHECK(count_differences(got, reinterpret_cast<const float*>(want.data())) == 0);
    }
  }
  REQUIRE(quant::select_isa());
}
