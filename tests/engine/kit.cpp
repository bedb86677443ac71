#include "tests/engine/kit.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include "core/base/json.h"

namespace nibble::tests {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
std::vector<T> array_of(const std::string& raw, size_t data, const Json& entry) {
  const size_t first = entry["data_offsets"][0], last = entry["data_offsets"][1];
  std::vector<T> out((last - first) / sizeof(T));
  std::memcpy(out.data(), raw.data() + data + first, last - first);
  return out;
}

}  // namespace

KitModel read_kit_model(const std::filesystem::path& folder) {
  KitModel kit;
  const std::string raw = read_text(folder / "expected.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, raw.data(), 8);
  const Json tensors = Json::parse(raw.substr(8, header));
  for (int i = 0; i < 3; ++i)
    kit.sequences.push_back(
        {array_of<TokenId>(raw, 8 + header, tensors["tokens_" + std::to_string(i)]),
         array_of<float>(raw, 8 + header, tensors["logits_" + std::to_string(i)])});
  const Json want = Json::parse(read_text(folder / "expected.json"));
  kit.prompt = want["greedy"]["prompt"].get<std::vector<TokenId>>();
  kit.greedy = want["greedy"]["ids"].get<std::vector<TokenId>>();
  kit.max_abs = want["tolerance"]["f32_max_abs"];
  kit.min_cosine = want["tolerance"]["f32_min_cosine"];
  return kit;
}

}  // namespace nibble::tests
