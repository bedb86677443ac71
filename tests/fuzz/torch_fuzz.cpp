// PyTorch archives and the pickles in them: whatever the bytes, an error or tensors that lie
// inside. The first byte chooses: an archive, or a pickle alone.
#include <cstdlib>
#include <functional>

#include "formats/pickle.h"
#include "formats/torch_zip.h"

using namespace nibble;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr std::string_view kAllowed[] = {
      "torch FloatStorage", "torch._utils _rebuild_tensor_v2", "collections OrderedDict"};
  if (size < 1) return 0;
  const auto file = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] % 2 == 1) {
    const PickleBudget budget{.nodes = 1 << 12, .stack = 1 << 12, .memo = 1 << 12, .marks = 64};
    const auto pickle = read_pickle(file, kAllowed, budget);
    if (!pickle && pickle.error().message.empty()) std::abort();
    return 0;
  }
  const auto raw = read_torch_zip(file);
  if (!raw) return raw.error().message.empty() ? std::abort(), 0 : 0;
  const std::less_equal<> before;
  for (const RawTensor& t : *raw)
    if (!before(file.data(), t.bytes.data()) ||
        !before(t.bytes.data() + t.bytes.size(), file.data() + file.size()))
      std::abort();
  return 0;
}
