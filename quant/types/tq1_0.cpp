// TQ1_0: 256 weights -d, 0 or d; 1.6875 bits per weight. Five digits of base 3 a byte, stored as
// ceil(number * 256 / 243): digit n of byte b is (3 * (b * 3^n mod 256)) / 256.
// The first 32 bytes of qs hold 160 weights, digit by digit, the next 16 hold 80, qh the last 16.
#include "quant/kernels/block256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ1_0 {
  static constexpr Format format{"tq1_0", 34, 256, 54, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 2, kOffsetShift = 0, kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t qs[48];
    uint8_t qh[4];
    Half d;
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void groups(const Block&, int8_t* scale, int8_t*) {
    for (int g = 0; g < 8; ++g) scale[g] = 1;
  }
  static uint8_t* digits(const uint8_t* bytes, int n_bytes, int n_digits, uint8_t* q) {
    for (int n = 0, power = 1; n < n_digits; ++n, power *= 3)
      for (int i = 0; i < n_bytes; ++i)
        *q++ = static_cast<uint8_t>((bytes[i] * power & 255) * 3 >> 8);
    return q;
  }
  static void codes(const Block& b, uint8_t* q) {
    q = digits(b.qs, 32, 5, q);
    q = digits(b.qs + 32, 16, 5, q);
    digits(b.qh, 4, 4, q);
  }
};

}  // namespace

extern const Kernels tq1_0_kernels;
constinit const Kernels tq1_0_kernels = Block256<TQ1_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
