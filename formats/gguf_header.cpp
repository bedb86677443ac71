#include "formats/gguf_header.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "core/base/byte_cursor.h"
#include "core/base/printable.h"
#include "formats/gguf_values.h"
#include "formats/tensor_index.h"

namespace nibble::gguf {
namespace {

// Smallest possible sizes in a file: what a count is held against before anything is made of it.
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;  // length, one letter, type, value
constexpr uint64_t kMinTensorBytes =
    8 + 1 + 4 + 8 + 4 + 8;  // length, one letter, n_dims, one dim, type, offset

struct Counts {
  uint64_t n_tensors = 0, n_keys = 0;
};

Result<void> check_count(std::string_view what, uint64_t n, uint64_t min_bytes, uint64_t most,
                         const ByteCursor& in) {
  if (n > in.remaining() / min_bytes)
    return corrupt("byte {}: {} {} announced, but only {} bytes follow", in.offset(), n, what,
                   in.remaining());
  if (n > most) return unsupported("{} {}, more than the {} that nibble reads", n, what, most);
  return {};
}

Result<Counts> read_preamble(ByteCursor& in, Header& header) {
  NIBBLE_TRY(const std::string_view magic, in.text(4));
  if (magic != "GGUF") return corrupt("byte 0: {}, expected the magic 'GGUF'", in_quotes(magic));
  NIBBLE_TRY(header.version, in.u32());
  if (header.version == 1) return unsupported("GGUF version 1; versions 2 and 3 are read");
  const uint32_t swapped = std::byteswap(header.version);
  if (swapped >= 1 && swapped <= 0xffff && header.version > 0xffff)
    return unsupported("a big-endian GGUF file; only little-endian ones are read");
  if (header.version != 2 && header.version != 3)
    return unsupported("byte 4: GGUF version {}; versions 2 and 3 are read", header.version);
  Counts counts;
  NIBBLE_TRY(counts.n_tensors, in.u64());
  NIBBLE_TRY(counts.n_keys, in.u64());
  NIBBLE_CHECK(check_count("keys", counts.n_keys, kMinKeyBytes, kMaxKeys, in));
  NIBBLE_CHECK(check_count("tensors", counts.n_tensors, kMinTensorBytes, kMaxTensors, in));
  return counts;
}

Result<uint64_t> read_alignment(const Metadata& metadata) {
  NIBBLE_TRY(const auto given, metadata.get_u64("general.alignment"));
  const uint64_t alignment = given.value_or(kDefaultAlignment);
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
    return corrupt("key 'general.alignment': {}, expected a power of two up to {}", alignment,
                   kMaxAlignment);
  return alignment;
}

// The bytes of a tensor, or an error: whole blocks in each row and no overflow.
Result<uint64_t> tensor_bytes(const TensorView& t) {
  const auto n_cols = static_cast<uint64_t>(t.shape.n_cols());
  const auto block_len = static_cast<uint64_t>(t.format->block_len);
  if (n_cols % block_len != 0)
    return corrupt("tensor {}: rows of {} weights, expected a multiple of {} for {}",
                   in_quotes(t.name), n_cols, block_len, t.format->name);
  uint64_t n =
      n_cols / block_len * static_cast<uint64_t>(t.format->block_bytes);  // both below 2^31
  for (int d = 0; d + 1 < t.shape.n_dims; ++d)
    if (__builtin_mul_overflow(n, static_cast<uint64_t>(t.shape.dim[d]), &n))
      return corrupt("tensor {}: shape {} has more than 2^64 bytes", in_quotes(t.name),
                     to_string(t.shape));
  return n;
}

Result<Shape> read_shape(ByteCursor& in, std::string_view name) {
  const uint64_t at = in.offset();
  NIBBLE_TRY(const uint32_t n_dims, in.u32());
  if (n_dims < 1 || n_dims > kMaxDims)
    return corrupt("tensor {} (byte {}): {} dimensions, expected 1..{}", in_quotes(name), at,
                   n_dims, kMaxDims);
  Shape shape;
  shape.n_dims = static_cast<int>(n_dims);
  for (int d = shape.n_dims; d-- > 0;) {  // file: fastest-varying first; ours: last
    const uint64_t dim_at = in.offset();
    NIBBLE_TRY(const uint64_t dim, in.u64());
    if (dim < 1 || dim > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
      return corrupt("tensor {} (byte {}): a dimension of {}, expected 1..2147483647",
                     in_quotes(name), dim_at, dim);
    shape.dim[static_cast<size_t>(d)] = static_cast<int64_t>(dim);
  }
  return shape;
}

struct Descriptor {
  TensorView tensor;
  uint64_t offset = 0, n_bytes = 0;  // in the data section
};

// Name, shape, type and offset; whether the data section has it is checked by place().
Result<Descriptor> read_descriptor(ByteCursor& in, uint64_t alignment) {
  Descriptor d;
  const uint64_t at = in.offset();
  NIBBLE_TRY(d.tensor.name, in.string(kMaxTensorName));
  if (d.tensor.name.empty()) return corrupt("byte {}: a tensor without a name", at);
  NIBBLE_TRY(d.tensor.shape, read_shape(in, d.tensor.name));
  const uint64_t type_at = in.offset();
  NIBBLE_TRY(const uint32_t type, in.u32());
  d.tensor.format = quant::find_gguf_type(type);
  if (!d.tensor.format)
    return unsupported("tensor {} (byte {}): GGUF type {} is not built in",
                       in_quotes(d.tensor.name), type_at, type);
  NIBBLE_TRY(d.n_bytes, tensor_bytes(d.tensor));
  const uint64_t offset_at = in.offset();
  NIBBLE_TRY(d.offset, in.u64());
  if (d.offset % alignment != 0)
    return corrupt("tensor {} (byte {}): offset {} is not a multiple of {}",
                   in_quotes(d.tensor.name), offset_at, d.offset, alignment);
  return d;
}

// Gives each tensor its bytes of the data section.
Result<void> place(std::span<Descriptor> descriptors, std::span<const std::byte> data) {
  for (Descriptor& d : descriptors) {
    if (d.n_bytes > data.size() ||
        d.offset > data.size() - d.n_bytes)  // in this order nothing can wrap
      return corrupt(
          "tensor {}: needs bytes {}+{} of the data section, which has {}: the file is cut off or "
          "damaged",
          in_quotes(d.tensor.name), d.offset, d.n_bytes, data.size());
    d.tensor.bytes = data.subspan(d.offset, d.n_bytes);
  }
  return {};
}

Result<void> check_disjoint(std::span<const Descriptor> descriptors) {
  std::vector<uint32_t> order(descriptors.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](uint32_t i) { return descriptors[i].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Descriptor &a = descriptors[order[i - 1]], &b = descriptors[order[i]];
    if (a.offset + a.n_bytes > b.offset)
      return corrupt("tensor {} at offset {} begins inside of tensor {}, which has bytes {}+{}",
                     in_quotes(b.tensor.name), b.offset, in_quotes(a.tensor.name), a.offset,
                     a.n_bytes);
  }
  return {};
}

}  // namespace

Result<Header> read_header(std::span<const std::byte> file) {
  ByteCursor in(file);
  Header header;
  NIBBLE_TRY(const Counts counts, read_preamble(in, header));
  uint64_t n_elements = 0;
  for (uint64_t i = 0; i < counts.n_keys; ++i)
    NIBBLE_CHECK(read_key(in, header.metadata, n_elements));
  NIBBLE_TRY(header.alignment, read_alignment(header.metadata));
  std::vector<Descriptor> descriptors;
  descriptors.reserve(counts.n_tensors);
  for (uint64_t i = 0; i < counts.n_tensors; ++i) {
    auto d = read_descriptor(in, header.alignment);
    if (!d)
      return fail(d.error().kind, "tensor {} of {}: {}", i + 1, counts.n_tensors,
                  d.error().message);
    descriptors.push_back(*d);
  }
  // a file without tensors may end before the padding does
  header.data_offset = std::min<uint64_t>(
      (in.offset() + header.alignment - 1) / header.alignment * header.alignment, file.size());
  NIBBLE_CHECK(place(descriptors, file.subspan(header.data_offset)));
  NIBBLE_CHECK(check_disjoint(descriptors));
  header.tensors.reserve(descriptors.size());
  for (const Descriptor& d : descriptors) header.tensors.push_back(d.tensor);
  if (const TensorView* twice = TensorIndex(header.tensors).duplicate(header.tensors))
    return corrupt("tensor {} stands there twice", in_quotes(twice->name));
  return header;
}

}  // namespace nibble::gguf
