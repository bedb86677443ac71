// Huge pages under a mapped file. Linux only.
//
// A file that another program wrote or read stands in the page cache in pages of 4 KiB or little
// more; reading weights through these takes a fifth longer than through huge pages.
#pragma once

#include <cstddef>
#include <stop_token>

namespace nibble {

// Bytes of [begin, begin + n_bytes) that huge pages map; 0 where the system cannot tell (before
// Linux 6.7; PAGEMAP_SCAN in Documentation/admin-guide/mm/pagemap.rst).
size_t bytes_in_huge_pages(const std::byte* begin, size_t n_bytes);

// Brings what small pages map of file fd, mapped from its first byte at begin (a multiple of
// kHugePage), into huge pages: the kernel joins them in place where it can (MADV_COLLAPSE), else
// they are dropped and read again, some milliseconds of disk for each. Bytes and addresses stay;
// others may read meanwhile, and pages that another program maps stay. Ends at `stop`, where the
// first tries make no huge page, and where the disk is slow.
void gather_in_huge_pages(int fd, std::byte* begin, size_t n_bytes, const std::stop_token& stop);

}  // namespace nibble
