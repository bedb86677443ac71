// gpt-oss's MXFP4: X_blocks [.., n_blocks, 16] and X_scales [.., n_blocks] for X, which has its
// last two dimensions the other way round than the plain model's.
#include "formats/encodings/scheme.h"
#include "formats/row_decoders.h"

namespace nibble {
namespace {

constexpr std::string_view kCodes = "_blocks";
constexpr quant::Format kMxfp4{"mxfp4", kNoGgufType, 32, 16, 0, quant::ActivationKind::kF32};

Result<void> add_mxfp4(Assembly& assembly, const RawTensor& blocks) {
  const std::string name = blocks.name.substr(0, blocks.name.size() - kCodes.size());
  NIBBLE_TRY(const RawTensor* const scales, assembly.need(name + "_scales"));
  if (blocks.type->name != "U8" || blocks.shape.n_dims < 3 || blocks.shape.n_cols() != 16)
    return misshapen(blocks, "U8 [.., n_blocks, 16]");
  Shape shape = blocks.shape;
  shape.dim[static_cast<size_t>(--shape.n_dims)] = 0;
  if (scales->type->name != "U8" || scales->shape.n_elements() != shape.n_elements() ||
      scales->shape.n_cols() != shape.n_cols())
    return misshapen(*scales, fmt::format("U8 {}", to_string(shape)));
  shape.dim[static_cast<size_t>(shape.n_dims - 1)] *= 32;
  assembly.add(
      name, kMxfp4, shape, blocks.bytes,
      std::make_unique<Mxfp4Decoder>(blocks.bytes.data(), scales->bytes.data(), shape.n_cols()));
  return {};
}

constexpr PartName kParts[] = {{"_scales", kCodes}};

}  // namespace

const Scheme kMxfp4Scheme{Encoding::Kind::kMxfp4, kCodes, kParts, add_mxfp4};

}  // namespace nibble
