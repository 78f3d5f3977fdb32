#include "core/color.hpp"

#include <algorithm>

namespace edgeval::pixels {
namespace {

/// Chroma to red, blue, green, green of the limited range, in 1/65536.
struct Chromatics {
  std::int64_t v_to_r;
  std::int64_t u_to_b;
  std::int64_t u_to_g;
  std::int64_t v_to_g;
};

Chromatics chromatics(Matrix matrix) {
  switch (matrix) {
    case Matrix::kBt709:
      return {117489, 138438, 13975, 34925};
    case Matrix::kBt2020:
      return {110013, 140363, 12277, 42626};
    case Matrix::kBt601:
      break;
  }
  return {104597, 132201, 25675, 53279};
}

/// x / 65536 * 2^13 rounded to the nearest 16-bit number.
std::int16_t fixed13(std::int64_t x) {
  const std::int64_t rounded = (x * (1 << 13) + (1 << 15)) >> 16;
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(rounded, -0x7FFF, 0x7FFF));
}

}  // namespace

ColorFactors color_factors(Matrix matrix, bool full_range) {
  Chromatics c = chromatics(matrix);
  std::int64_t luma = 1 << 16;
  if (full_range) {
    c = {c.v_to_r * 224 / 255, c.u_to_b * 224 / 255, c.u_to_g * 224 / 255,
         c.v_to_g * 224 / 255};
  } else {
    luma = luma * 255 / 219;
  }
  ColorFactors factors{};
  factors.y = fixed13(luma);
  factors.v_to_r = fixed13(c.v_to_r);
  factors.u_to_g = fixed13(-c.u_to_g);
  factors.v_to_g = fixed13(-c.v_to_g);
  factors.u_to_b = fixed13(c.u_to_b);
  factors.y_offset = full_range ? 0 : 16 * 8;
  return factors;
}

bool takes(Chroma chroma, int bit_depth, int width, int height) {
  return bit_depth == 8 && chroma != Chroma::k444 && width > 0 && height > 0 &&
         height % 2 == 0;
}

}  // namespace edgeval::pixels
