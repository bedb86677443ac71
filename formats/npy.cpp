#include "formats/npy.h"

#include "core/base/assert.h"

namespace nibble {
namespace {

// Magic, version 1.0, length of the rest, and the rest: a Python dictionary padded so that the data
// begins at 64 n.
std::string npy_header(int64_t n_rows, int64_t n_cols) {
  std::string dictionary = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", n_rows, n_cols);
  constexpr size_t kPreambleBytes = 10;
  while ((kPreambleBytes + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace

Result<NpyWriter> NpyWriter::create(const std::filesystem::path& target, int64_t n_rows,
                                    int64_t n_cols, bool overwrite) {
  NIBBLE_ASSERT(n_rows >= 0 && n_cols >= 0);
  NIBBLE_TRY(OutputFile file, OutputFile::create(target, overwrite));
  const std::string header = npy_header(n_rows, n_cols);
  NIBBLE_CHECK(file.reserve(header.size() + static_cast<uint64_t>(n_rows) *
                                                static_cast<uint64_t>(n_cols) * sizeof(float)));
  NIBBLE_CHECK(file.write(std::as_bytes(std::span(header))));
  return NpyWriter(std::move(file), n_rows, n_cols);
}

Result<void> NpyWriter::add_row(std::span<const float> row) {
  NIBBLE_ASSERT(std::ssize(row) == n_cols_ && n_added_ < n_rows_);
  ++n_added_;
  return file_.write(std::as_bytes(row));
}

Result<void> NpyWriter::finish() {
  NIBBLE_ASSERT(n_added_ == n_rows_);
  return file_.commit();
}

}  // namespace nibble
