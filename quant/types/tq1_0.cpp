// TQ1_0 (quant/layouts/blocks256.h): the codes are q, 0..2.
#include "quant/kernels/block256.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/vectors.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ1_0 : HalfFactors<layout::TQ1_0> {
  static constexpr int kMaxCode = 2, kOffsetShift = 0, kGroup = 32;
  static constexpr bool kOneScale = true;
  static void groups(const Block&, int8_t* scale, int8_t*) {
    for (int g = 0; g < 8; ++g) scale[g] = 1;
  }
  // The first digit of each byte v, 3 v / 256, to q; v times 3 has the ones behind it.
  static void store_digits(Bytes32 v, uint8_t* q) {
    const auto digits = (v < 86) + (v < 171) + 2;  // a comparison that holds is -1
    store_vector(q, digits);
  }
  // v times 3 in the dwords where all bits are set, as it is elsewhere.
  static Bytes32 next_digit(Bytes32 v, Fours8 where) {
    return v + ((v + v) & reinterpret_cast<Bytes32>(where));
  }
  static void codes(const Block& b, uint8_t* q) {
    constexpr uint32_t k = 0xffffffff;
    constexpr Fours8 all = {k, k, k, k, k, k, k, k}, upper = {0, 0, 0, 0, k, k, k, k};
    auto first = load_vector<Bytes32>(b.qs);
    for (int n = 0; n < 5; ++n, first = next_digit(first, all)) store_digits(first, q + 32 * n);
    // 16 bytes twice, the second time a digit further.
    const Fours8 second =
        __builtin_shuffle(load_vector<Fours8>(b.qs + 16), Fours8{4, 5, 6, 7, 4, 5, 6, 7});
    auto two = next_digit(reinterpret_cast<Bytes32>(second), upper);
    for (int n = 0; n < 2; ++n, two = next_digit(next_digit(two, all), all))
      store_digits(two, q + 160 + 32 * n);
    // Four bytes four times, each time a digit further.
    const Bytes32 last = reinterpret_cast<Bytes32>(Fours8{} + load_u32(b.qh));
    constexpr Fours8 odd = {0, 0, 0, 0, 0, k, 0, k}, third = {0, 0, 0, 0, 0, 0, k, k};
    const Bytes32 four = next_digit(next_digit(next_digit(last, odd), third), third);
    store_digits(reinterpret_cast<Bytes32>(upper) ? four : two, q + 224);
  }
};

}  // namespace

extern const Kernels tq1_0_kernels;
constinit const Kernels tq1_0_kernels = Block256<TQ1_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
