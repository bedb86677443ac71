// The list of a zip archive's entries, for archives that store and do not compress (as PyTorch
// writes them), zip64 included. Source: PKWARE's APPNOTE.TXT 6.3.10.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "core/base/error.h"

namespace nibble {

inline constexpr uint64_t kMaxZipEntries = 1'048'576;

using ZipEntries = std::map<std::string, std::span<const std::byte>, std::less<>>;

// Name to bytes of each entry; file must outlive them. Fails where an entry is compressed or
// encrypted, lies outside of the archive or inside of another one.
Result<ZipEntries> read_zip(std::span<const std::byte> file);

}  // namespace nibble
