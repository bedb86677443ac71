// tokenizer.json: whatever it says, an error or a tokenizer whose ids are inside of its vocabulary.
#include <cstdlib>
#include <fstream>

#include "core/text/tokenizer.h"

using namespace nibble;

namespace {

std::filesystem::path new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "nibble_fuzz_XXXXXX").string();
  if (!mkdtemp(name.data())) std::abort();
  return name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::filesystem::path folder = new_folder();
  std::ofstream(folder / "tokenizer.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto tokenizer = Tokenizer::from_folder(folder);
  if (!tokenizer) return tokenizer.error().message.empty() ? std::abort(), 0 : 0;
  for (const char* text : {"Hello, w\u00f6rld 12 <s>", " ab  ba\n\u4e16\xff", ""}) {
    const auto ids = (*tokenizer)->encode(text);
    if (!ids) continue;
    for (const TokenId id : *ids)
      if (id < 0 || id >= (*tokenizer)->n_vocab()) std::abort();
    (void)(*tokenizer)->decode(*ids);
  }
  return 0;
}
