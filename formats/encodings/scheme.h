// What one way of storing quantized weights is made of. A scheme is one file in this folder and one
// row of the table in encodings.cpp. Internal to formats.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/encodings.h"

namespace nibble {

inline constexpr uint32_t kNoGgufType = 0xffffffff;

// The stored tensors by name, and the logical ones that have been made of them.
class Assembly {
 public:
  Assembly(const std::vector<RawTensor>& raw, const Encoding& encoding);

  const Encoding& encoding() const { return encoding_; }
  const RawTensor* find(std::string_view name) const;            // nullptr: there is none
  Result<const RawTensor*> need(const std::string& name) const;  // fails (kCorrupt)
  // A tensor that is stored as it is.
  void add_plain(const RawTensor& t);
  // A tensor of several: name, shape, and the bytes of its codes in format's layout.
  void add(std::string name, const quant::Format& format, const Shape& shape,
           std::span<const std::byte> codes, std::unique_ptr<RowDecoder> decoder);
  LogicalTensors take() && { return std::move(out_); }

 private:
  const Encoding& encoding_;
  std::map<std::string_view, const RawTensor*, std::less<>> by_name_;
  LogicalTensors out_;
};

std::unexpected<Error> misshapen(const RawTensor& t, std::string_view expected);
// Fails (kCorrupt) unless t is of this type and shape.
Result<void> check_matrix(const RawTensor& t, std::string_view type, int64_t n_rows,
                          int64_t n_cols);
// Fails unless t is of a type that scales may have.
Result<void> check_scales(const RawTensor& t);
Shape matrix_shape(int64_t n_rows, int64_t n_cols);

// STEM + suffix is a part of STEM + of, where that is there.
struct PartName {
  std::string_view suffix, of;
};

struct Scheme {
  Encoding::Kind kind;
  std::string_view codes;  // what the name of a tensor of codes ends with
  std::span<const PartName> parts;
  // codes, and what belongs to it, as one tensor.
  Result<void> (*add)(Assembly& assembly, const RawTensor& codes);
};
extern const Scheme kScaledScheme, kRowPackedScheme, kGptqScheme, kAwqScheme, kMxfp4Scheme;

}  // namespace nibble
