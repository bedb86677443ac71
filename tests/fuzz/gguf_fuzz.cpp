// The GGUF reader: whatever the bytes, an error or views that lie inside of them.
#include <cstdlib>
#include <functional>

#include "formats/gguf_header.h"

using namespace nibble;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const auto header = gguf::read_header(file);
  if (!header) return header.error().message.empty() ? std::abort(), 0 : 0;
  for (const TensorView& t : header->tensors) {
    const std::less_equal<> before;
    if (!before(file.data(), t.bytes.data()) ||
        !before(t.bytes.data() + t.bytes.size(), file.data() + size) ||
        t.bytes.size() != static_cast<size_t>(t.shape.n_rows()) * t.row_bytes())
      std::abort();
  }
  for (const auto& entry : header->metadata.entries()) {
    if (!header->metadata.find(entry.key)) std::abort();
    (void)header->metadata.get_u64(entry.key);
    (void)header->metadata.get_ints(entry.key);
    (void)header->metadata.get_floats(entry.key);
    const auto strings = header->metadata.get_strings(entry.key);
    if (strings && *strings)
      for (const std::string_view s : **strings)
        if (!s.empty() && s.back() == s.front() && s.size() > size) std::abort();
  }
  return 0;
}
