#include "formats/torch_zip.h"

#include <algorithm>

#include "core/base/printable.h"
#include "formats/pickle.h"
#include "formats/safetensors.h"
#include "formats/zip.h"

namespace nibble {
namespace {

using Kind = PickleNode::Kind;
using Items = std::vector<const PickleNode*>;

constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::string_view kAllowed[] = {
    "collections OrderedDict", kRebuildTensor,       kRebuildParameter,       "torch DoubleStorage",
    "torch FloatStorage",      "torch HalfStorage",  "torch BFloat16Storage", "torch LongStorage",
    "torch IntStorage",        "torch ShortStorage", "torch CharStorage",     "torch ByteStorage",
    "torch BoolStorage"};

bool is(const Items& items, size_t i, Kind kind) {
  return i < items.size() && items[i]->kind == kind;
}

struct Storage {
  const StoredType* type = nullptr;
  std::span<const std::byte> bytes;
  int64_t n_elements = 0;
};

class Checkpoint {
 public:
  Checkpoint(const ZipEntries& entries, std::string_view prefix)
      : entries_(entries), prefix_(prefix) {}

  // A persistent id: ('storage', type, key, device, number of elements).
  Result<Storage> storage(std::string_view name, const PickleNode& node) const {
    const PickleNode* id = node.kind == Kind::kPersistent ? node.items[0] : nullptr;
    if (!id || !is(id->items, 0, Kind::kText) || id->items[0]->text != "storage" ||
        !is(id->items, 1, Kind::kGlobal) || !is(id->items, 2, Kind::kText) ||
        !is(id->items, 4, Kind::kInt))
      return corrupt("tensor {}: its storage is not described as PyTorch does", in_quotes(name));
    constexpr std::string_view kModule = "torch ";
    std::string_view type = id->items[1]->text;
    Storage s;
    if (type.starts_with(kModule)) s.type = find_torch_storage(type.substr(kModule.size()));
    if (!s.type)
      return corrupt("tensor {}: {} is no type of storage", in_quotes(name), in_quotes(type));
    s.n_elements = id->items[4]->number;
    const auto entry = entries_.find(fmt::format("{}data/{}", prefix_, id->items[2]->text));
    if (entry == entries_.end())
      return corrupt("tensor {}: zip entry {} is missing", in_quotes(name),
                     in_quotes(id->items[2]->text));
    s.bytes = entry->second;
    if (s.n_elements < 0 ||
        static_cast<uint64_t>(s.n_elements) > s.bytes.size() / s.type->n_bytes())
      return corrupt("tensor {}: a storage of {} elements, but its entry has {} bytes",
                     in_quotes(name), s.n_elements, s.bytes.size());
    return s;
  }

  // _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)
  Result<RawTensor> tensor(std::string_view name, const PickleNode& call) const {
    const Items& a = call.items[1]->items;
    if (a.size() < 4 || !is(a, 1, Kind::kInt) || !is(a, 2, Kind::kTuple) || !is(a, 3, Kind::kTuple))
      return corrupt("tensor {}: is not described as PyTorch does", in_quotes(name));
    NIBBLE_TRY(const Storage s, storage(name, *a[0]));
    NIBBLE_TRY(const auto sizes, integers(name, a[2]->items));
    NIBBLE_TRY(const auto strides, integers(name, a[3]->items));
    RawTensor t{std::string(name), s.type, {}, {}};
    NIBBLE_TRY(t.shape, checked_shape(name, sizes));
    const int64_t offset = a[1]->number, n = t.shape.n_elements();
    NIBBLE_CHECK(check_contiguous(name, sizes, strides, n));
    if (offset < 0 || n > s.n_elements || offset > s.n_elements - n)
      return corrupt("tensor {}: elements {}+{} of a storage of {}", in_quotes(name), offset, n,
                     s.n_elements);
    t.bytes = s.bytes.subspan(static_cast<size_t>(offset) * s.type->n_bytes(),
                              static_cast<size_t>(n) * s.type->n_bytes());
    return t;
  }

 private:
  static Result<std::vector<int64_t>> integers(std::string_view name, const Items& items) {
    std::vector<int64_t> out;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!is(items, i, Kind::kInt) || items.size() > 64)
        return corrupt("tensor {}: sizes or strides that are no integers", in_quotes(name));
      out.push_back(items[i]->number);
    }
    return out;
  }
  static Result<void> check_contiguous(std::string_view name, const std::vector<int64_t>& sizes,
                                       const std::vector<int64_t>& strides, int64_t n) {
    if (sizes.size() != strides.size())
      return corrupt("tensor {}: {} sizes, but {} strides", in_quotes(name), sizes.size(),
                     strides.size());
    if (n == 0) return {};
    int64_t expected = 1;  // checked_shape has held the product against overflow
    for (size_t i = sizes.size(); i-- > 0;) {
      if (sizes[i] > 1 && strides[i] != expected)
        return unsupported("tensor {}: stored with a stride of {} where {} is contiguous",
                           in_quotes(name), strides[i], expected);
      expected *= sizes[i];
    }
    return {};
  }

  const ZipEntries& entries_;
  std::string_view prefix_;
};

// The tensor a value of the state dict is, nullptr if it is something else.
const PickleNode* tensor_call(const PickleNode& value) {
  const PickleNode* node = &value;
  if (node->is_call_of(kRebuildParameter)) {
    if (node->items[1]->items.empty()) return nullptr;
    node = node->items[1]->items[0];
  }
  return node->is_call_of(kRebuildTensor) ? node : nullptr;
}

// The folder inside of the archive, with its slash.
Result<std::string> find_prefix(const ZipEntries& entries) {
  constexpr std::string_view kPickle = "data.pkl";
  std::string found;
  int n = 0;
  for (const auto& [name, bytes] : entries)
    if (name.ends_with("/data.pkl") && std::ranges::count(name, '/') == 1) {
      found = name.substr(0, name.size() - kPickle.size());
      ++n;
    }
  if (n != 1)
    return unsupported("a zip archive with {} entries 'data.pkl': no PyTorch checkpoint", n);
  return found;
}

bool is_big_endian(const ZipEntries& entries, const std::string& prefix) {
  const auto order = entries.find(prefix + "byteorder");
  return order != entries.end() && !order->second.empty() && order->second[0] == std::byte{'b'};
}

}  // namespace

Result<std::vector<RawTensor>> read_torch_zip(std::span<const std::byte> file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min<size_t>(file.size(), 4));
  if (head.starts_with("\x80\x02"))
    return unsupported(
        "a PyTorch checkpoint from before version 1.6; load it there and save it again");
  NIBBLE_TRY(const ZipEntries entries, read_zip(file));
  NIBBLE_TRY(const std::string prefix, find_prefix(entries));
  if (is_big_endian(entries, prefix))
    return unsupported("a PyTorch checkpoint in big-endian order");
  NIBBLE_TRY(const auto pickle, read_pickle(entries.find(prefix + "data.pkl")->second, kAllowed));
  const PickleNode& root = pickle->root();
  if (root.kind != Kind::kDict)
    return unsupported("a PyTorch file that holds no dictionary of tensors");
  const Checkpoint checkpoint(entries, prefix);
  std::vector<RawTensor> tensors;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleNode* call = tensor_call(*root.items[i + 1]);
    if (!call || root.items[i]->kind != Kind::kText) continue;  // a step counter, a configuration
    NIBBLE_TRY(tensors.emplace_back(), checkpoint.tensor(root.items[i]->text, *call));
  }
  if (tensors.empty()) return unsupported("a PyTorch file without a tensor at its top level");
  return tensors;
}

}  // namespace nibble
