// Builds safetensors files, zip archives and torch pickles, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/formats/gguf_bytes.h"

namespace nibble::tests {

inline std::string safetensors(std::string_view header, std::string_view data) {
  return GgufBytes().u64(header.size()).raw(header).raw(data);
}

// One local header and one directory entry; what differs from the truth is set by tests.
struct ZipEntry {
  std::string name = {}, content = {};
  uint16_t method = 0, flags = 0x808;
  int64_t size_more = 0;    // added to the size that the directory tells
  int64_t offset_more = 0;  // added to the offset of the local header that the directory tells
  std::string local_name = {};   // empty: as name
  bool zip64 = false;       // sizes and offset stand in the extra field
};

struct ZipEnd {
  int n_entries_more = 0;
  int64_t offset_more = 0;
  std::string comment = {};
  bool zip64 = false;
};

inline std::string zip(const std::vector<ZipEntry>& entries, const ZipEnd& end = {}) {
  using B = GgufBytes;
  const auto u16 = [](size_t v) { return static_cast<uint16_t>(v); };
  std::string out, directory;
  for (const ZipEntry& e : entries) {
    const uint64_t offset = out.size() + static_cast<uint64_t>(e.offset_more);
    const uint64_t size = e.content.size() + static_cast<uint64_t>(e.size_more);
    const std::string& local = e.local_name.empty() ? e.name : e.local_name;
    out += B().raw("PK\3\4").value(u16(20)).value(e.flags).value(e.method).u32(0).zeros(12);
    out += B().value(u16(local.size())).value(u16(0)).raw(local).raw(e.content).str();
    B extra;
    if (e.zip64) extra.value(u16(1)).value(u16(24)).u64(size).u64(size).u64(offset);
    const auto small = [&](uint64_t v) { return e.zip64 ? 0xffffffffu : static_cast<uint32_t>(v); };
    directory += B().raw("PK\1\2").u32(0x140014).value(e.flags).value(e.method).u32(0).u32(0).str();
    directory += B().u32(small(size)).u32(small(size)).value(u16(e.name.size())).str();
    directory += B().value(u16(extra.str().size())).zeros(10).u32(small(offset)).raw(e.name).str();
    directory += extra.str();
  }
  const uint64_t at = out.size() + static_cast<uint64_t>(end.offset_more);
  const size_t n = entries.size() + static_cast<size_t>(end.n_entries_more);
  out += directory;
  const uint64_t end64 = out.size();
  if (end.zip64) {
    out += B().raw("PK\6\6").u64(44).zeros(12).u64(n).u64(n).u64(directory.size()).u64(at).str();
    out += B().raw("PK\6\7").u32(0).u64(end64).u32(1).str();
  }
  const auto small = [&](uint64_t v) { return end.zip64 ? 0xffffffffu : static_cast<uint32_t>(v); };
  out += B().raw("PK\5\6").u32(0).value(u16(n)).value(u16(n)).u32(small(directory.size())).str();
  return out + B().u32(small(at)).value(u16(end.comment.size())).raw(end.comment).str();
}

// Pieces of a pickle as torch.save writes them.
inline std::string pickle_text(std::string_view text) {
  return "X" + GgufBytes().u32(static_cast<uint32_t>(text.size())).str() + std::string(text);
}
inline std::string pickle_int(int32_t value) { return "J" + GgufBytes().value(value).str(); }
inline std::string pickle_ints(const std::vector<int32_t>& values) {
  std::string out = "(";
  for (const int32_t v : values) out += pickle_int(v);
  return out + "t";
}
inline std::string torch_storage(std::string_view type, std::string_view key, int32_t n) {
  return "(" + pickle_text("storage") + "ctorch\n" + std::string(type) + "\n" + pickle_text(key) +
         pickle_text("cpu") + pickle_int(n) + "tQ";
}
// A key and the tensor that _rebuild_tensor_v2 would make.
inline std::string torch_tensor(std::string_view name, const std::string& storage, int32_t offset,
                                const std::vector<int32_t>& sizes,
                                const std::vector<int32_t>& strides) {
  return pickle_text(name) + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + pickle_int(offset) +
         pickle_ints(sizes) + pickle_ints(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}
inline std::string pickle_dict(std::string_view items) {
  return "\x80\x02}(" + std::string(items) + "u.";
}
inline std::string torch_file(const std::string& pickle,
                              const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<ZipEntry> entries{{.name = "m/data.pkl", .content = pickle}};
  for (const auto& [key, bytes] : storages)
    entries.push_back({.name = "m/data/" + key, .content = bytes});
  entries.push_back({.name = "m/version", .content = "3\n"});
  return zip(entries);
}

}  // namespace nibble::tests
