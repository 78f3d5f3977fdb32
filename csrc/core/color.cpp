#include "core/color.hpp"

#include <algorithm>

namespace edgeval::pixels {
namespace {

Chromatics limited_chromatics(Matrix matrix) {
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

/// 8.22 bits of fixed point to a byte; below 0 is 0, as is what wrapped round.
std::uint8_t byte_of(std::uint32_t value) {
  const auto number = static_cast<std::int32_t>(value);
  return static_cast<std::uint8_t>(std::clamp(number, 0, (1 << 30) - 1) >> 22);
}

template <typename T>
void full_row(const ColorFactors& f, const YuvView& picture, int row,
              const std::array<std::uint8_t*, 3>& out) {
  const int shift = 17 - picture.bit_depth;
  std::array<const T*, 3> in{};
  for (std::size_t i = 0; i < 3; ++i) {
    in[i] = reinterpret_cast<const T*>(picture.plane[i] + row * picture.stride[i]);
  }
  constexpr std::uint32_t kZero = 128U << 9;
  for (int x = 0; x < picture.width; ++x) {
    const auto pixel =
        full_chroma_pixel(f, static_cast<std::uint32_t>(in[0][x]) << shift,
                          (static_cast<std::uint32_t>(in[1][x]) << shift) - kZero,
                          (static_cast<std::uint32_t>(in[2][x]) << shift) - kZero);
    for (std::size_t c = 0; c < 3; ++c) out[c][x] = pixel[c];
  }
}

}  // namespace

std::array<std::uint8_t, 3> full_chroma_pixel(const ColorFactors& factors,
                                              std::uint32_t y, std::uint32_t u,
                                              std::uint32_t v) {
  const auto times = [](std::uint32_t sample, std::int16_t factor) {
    return sample * static_cast<std::uint32_t>(factor);
  };
  const std::uint32_t luma =
      times(y - static_cast<std::uint32_t>(factors.y_offset * 64), factors.y) +
      (1U << 21);
  return {byte_of(luma + times(v, factors.v_to_r)),
          byte_of(luma + times(v, factors.v_to_g) + times(u, factors.u_to_g)),
          byte_of(luma + times(u, factors.u_to_b))};
}

void full_chroma_row(const ColorFactors& factors, const YuvView& picture, int row,
                     const std::array<std::uint8_t*, 3>& out) {
  if (picture.bit_depth == 8) {
    full_row<std::uint8_t>(factors, picture, row, out);
  } else {
    full_row<std::uint16_t>(factors, picture, row, out);
  }
}

Chromatics chromatics(Matrix matrix, bool full_range) {
  const Chromatics c = limited_chromatics(matrix);
  if (!full_range) return c;
  return {c.v_to_r * 224 / 255, c.u_to_b * 224 / 255, c.u_to_g * 224 / 255,
          c.v_to_g * 224 / 255};
}

std::int64_t luma_gain(bool full_range) {
  return full_range ? 1 << 16 : (std::int64_t{1} << 16) * 255 / 219;
}

ColorFactors color_factors(Matrix matrix, bool full_range) {
  const Chromatics c = chromatics(matrix, full_range);
  ColorFactors factors{};
  factors.y = fixed13(luma_gain(full_range));
  factors.v_to_r = fixed13(c.v_to_r);
  factors.u_to_g = fixed13(-c.u_to_g);
  factors.v_to_g = fixed13(-c.v_to_g);
  factors.u_to_b = fixed13(c.u_to_b);
  factors.y_offset = full_range ? 0 : 16 * 8;
  return factors;
}

bool mixes_chroma(Chroma chroma, int bit_depth, int height, bool interlaced) {
  const int rows = interlaced ? height / 2 : height;
  return chroma != Chroma::k444 && (bit_depth > 8 || rows % 2 != 0);
}

bool takes(Chroma chroma, int bit_depth, int width, int height, bool interlaced) {
  if (width < 1 || height < 1 || (bit_depth != 8 && bit_depth != 10)) return false;
  if (interlaced && height % (chroma == Chroma::k420 ? 4 : 2) != 0) return false;
  return chroma != Chroma::k444 || width > 1;
}

}  // namespace edgeval::pixels
