#include "formats/zip.h"

#include <algorithm>
#include <vector>

#include "core/base/byte_cursor.h"
#include "core/base/printable.h"

namespace nibble {
namespace {

constexpr uint32_t kEndMagic = 0x06054b50, kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr uint32_t kCentralMagic = 0x02014b50, kLocalMagic = 0x04034b50;
constexpr uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20, kCentralBytes = 46,
                   kLocalBytes = 30;
constexpr uint32_t kIn64 = 0xffffffff;  // the value stands in the zip64 part

struct Directory {
  uint64_t offset = 0, n_bytes = 0, n_entries = 0;
};

struct Entry {
  std::string name;
  uint64_t begin = 0;              // of the local header
  uint64_t data = 0, n_bytes = 0;  // of the content
};

template <class T>
T at(std::span<const std::byte> bytes,
     uint64_t offset) {  // offset + sizeof(T) is known to lie inside
  return load_le<T>(bytes.data() + offset);
}

// The record that ends an archive, with a comment of exactly the length that it says behind it.
Result<uint64_t> find_end(std::span<const std::byte> file) {
  if (file.size() < kEndBytes) return corrupt("{} bytes, too few for a zip archive", file.size());
  const uint64_t last = file.size() - kEndBytes;
  for (uint64_t comment = 0; comment <= std::min<uint64_t>(last, 0xffff); ++comment) {
    const uint64_t end = last - comment;
    if (at<uint32_t>(file, end) == kEndMagic && at<uint16_t>(file, end + 20) == comment) return end;
  }
  return corrupt("no end of a zip archive is found: the file is cut off or damaged");
}

Result<Directory> read_end(std::span<const std::byte> file) {
  NIBBLE_TRY(const uint64_t end, find_end(file));
  Directory d{at<uint32_t>(file, end + 16), at<uint32_t>(file, end + 12),
              at<uint16_t>(file, end + 10)};
  const bool small = d.offset != kIn64 && d.n_bytes != kIn64 && d.n_entries != 0xffff;
  if (end >= kLocator64Bytes && at<uint32_t>(file, end - kLocator64Bytes) == kLocator64Magic) {
    const uint64_t end64 = at<uint64_t>(file, end - kLocator64Bytes + 8);
    if (file.size() < kEnd64Bytes || end64 > file.size() - kEnd64Bytes ||
        at<uint32_t>(file, end64) != kEnd64Magic)
      return corrupt("byte {}: no zip64 end record stands at {}", end - kLocator64Bytes + 8, end64);
    d = {at<uint64_t>(file, end64 + 48), at<uint64_t>(file, end64 + 40),
         at<uint64_t>(file, end64 + 32)};
  } else if (!small) {
    return corrupt("byte {}: a zip64 archive without its end record", end);
  }
  if (d.n_bytes > end || d.offset > end - d.n_bytes)
    return corrupt("byte {}: the zip directory at {}+{} lies outside of the file", end, d.offset,
                   d.n_bytes);
  if (d.n_entries > d.n_bytes / kCentralBytes)
    return corrupt("byte {}: {} zip entries announced in {} bytes", end, d.n_entries, d.n_bytes);
  if (d.n_entries > kMaxZipEntries)
    return unsupported("{} zip entries, more than {}", d.n_entries, kMaxZipEntries);
  return d;
}

// Sizes and offsets that did not fit stand in the extra field of id 1, in this order.
Result<void> read_zip64_extra(std::span<const std::byte> extra, uint64_t& size, uint64_t& packed,
                              uint64_t& offset) {
  if (size != kIn64 && packed != kIn64 && offset != kIn64) return {};
  ByteCursor in(extra);
  while (in.remaining() >= 4) {
    NIBBLE_TRY(const uint16_t id, in.u16());
    NIBBLE_TRY(const uint16_t n, in.u16());
    NIBBLE_TRY(const auto field, in.take(n));
    if (id != 1) continue;
    ByteCursor values(field);
    for (uint64_t* value : {&size, &packed, &offset}) {
      if (*value != kIn64) continue;
      NIBBLE_TRY(*value, values.u64());
    }
    return {};
  }
  return corrupt("the zip64 sizes are missing");
}

// Where the content begins: behind the local header, which must name the same entry.
Result<uint64_t> content_begin(std::span<const std::byte> file, const Entry& e) {
  if (e.begin > file.size() || file.size() - e.begin < kLocalBytes ||
      at<uint32_t>(file, e.begin) != kLocalMagic)
    return corrupt("zip entry {}: no header stands at byte {}", in_quotes(e.name), e.begin);
  const uint64_t n_name = at<uint16_t>(file, e.begin + 26),
                 n_extra = at<uint16_t>(file, e.begin + 28);
  const uint64_t begin = e.begin + kLocalBytes + n_name + n_extra;
  if (begin > file.size())
    return corrupt("zip entry {}: its header ends beyond the file", in_quotes(e.name));
  const auto* name = reinterpret_cast<const char*>(file.data()) + e.begin + kLocalBytes;
  if (std::string_view(name, n_name) != e.name)
    return corrupt("zip entry {}: named {} at byte {}", in_quotes(e.name),
                   in_quotes({name, n_name}), e.begin);
  return begin;
}

Result<Entry> read_entry(ByteCursor& in, std::span<const std::byte> file, uint64_t directory) {
  const uint64_t where = in.offset();
  NIBBLE_TRY(const auto head, in.take(kCentralBytes));
  if (at<uint32_t>(head, 0) != kCentralMagic)
    return corrupt("byte {} of the zip directory: no entry begins", where);
  NIBBLE_TRY(const auto name, in.text(at<uint16_t>(head, 28)));
  NIBBLE_TRY(const auto extra, in.take(at<uint16_t>(head, 30)));
  NIBBLE_TRY(const auto comment, in.take(at<uint16_t>(head, 32)));
  static_cast<void>(comment);
  Entry e{std::string(name), at<uint32_t>(head, 42), 0, at<uint32_t>(head, 24)};
  uint64_t packed = at<uint32_t>(head, 20);
  if (at<uint16_t>(head, 8) & 1) return unsupported("zip entry {}: encrypted", in_quotes(name));
  if (const uint16_t method = at<uint16_t>(head, 10); method != 0)
    return unsupported("zip entry {}: compressed (method {}); only stored entries are read",
                       in_quotes(name), method);
  auto sizes = read_zip64_extra(extra, e.n_bytes, packed, e.begin);
  if (!sizes) return corrupt("zip entry {}: {}", in_quotes(name), sizes.error().message);
  if (packed != e.n_bytes)
    return corrupt("zip entry {}: {} bytes stored as {}", in_quotes(name), e.n_bytes, packed);
  NIBBLE_TRY(e.data, content_begin(file, e));
  if (e.n_bytes > directory || e.data > directory - e.n_bytes)
    return corrupt("zip entry {}: bytes {}+{} reach into the directory at {}", in_quotes(name),
                   e.data, e.n_bytes, directory);
  return e;
}

}  // namespace

Result<ZipEntries> read_zip(std::span<const std::byte> file) {
  NIBBLE_TRY(const Directory directory, read_end(file));
  ByteCursor in(file.subspan(directory.offset, directory.n_bytes));
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < directory.n_entries; ++i) {
    NIBBLE_TRY(entries.emplace_back(), read_entry(in, file, directory.offset));
  }
  std::ranges::sort(entries, {}, &Entry::begin);
  ZipEntries out;
  uint64_t used = 0;
  for (const Entry& e : entries) {
    if (e.begin < used)
      return corrupt("zip entry {}: begins inside of another one", in_quotes(e.name));
    used = e.data + e.n_bytes;
    if (!out.emplace(e.name, file.subspan(e.data, e.n_bytes)).second)
      return corrupt("zip entry {} stands there twice", in_quotes(e.name));
  }
  return out;
}

}  // namespace nibble
