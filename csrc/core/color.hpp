#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace edgeval::pixels {

enum class Matrix { kBt601, kBt709, kBt2020 };
enum class Chroma { k420, k422, k444 };

/// Y, U and V of one picture: `plane[i]` points at its first sample, rows `stride[i]`
/// bytes apart. Samples are u8, or u16 in native order when `bit_depth` > 8. The first
/// chroma sample lies `chroma_x` and `chroma_y` 1/256 of a luma step right of and below
/// the first luma sample (where chroma is halved that way). An interlaced picture is
/// two, in even and odd rows of all planes.
struct YuvView {
  std::array<const std::uint8_t*, 3> plane;
  std::array<std::ptrdiff_t, 3> stride;
  int width;
  int height;
  Chroma chroma;
  int bit_depth;
  Matrix matrix;
  bool full_range;
  int chroma_x = 128;
  int chroma_y = 128;
  bool interlaced = false;
};

/// What a chroma sample adds to red, blue and (taken from) green, in 1/65536.
struct Chromatics {
  std::int64_t v_to_r;
  std::int64_t u_to_b;
  std::int64_t u_to_g;
  std::int64_t v_to_g;
};

Chromatics chromatics(Matrix matrix, bool full_range);

/// What a luma step is worth, in 1/65536.
std::int64_t luma_gain(bool full_range);

/// Factors of the 8-bit colour step as 16-bit fixed point: what is added to a sample is
/// (factor * (8 * sample - offset)) >> 16.
struct ColorFactors {
  std::int16_t y;
  std::int16_t v_to_r;
  std::int16_t u_to_g;
  std::int16_t v_to_g;
  std::int16_t u_to_b;
  std::int16_t y_offset;
};

/// Source of the numbers: FFmpeg@n8.1 libswscale/yuv2rgb.c (ff_yuv2rgb_coeffs and
/// ff_yuv2rgb_c_init_tables), each rounded to 16 bits as its x86 path does.
ColorFactors color_factors(Matrix matrix, bool full_range);

/// One row of 4:4:4 to three u8 planes, `bit_depth` bits a sample. On its way FFmpeg
/// lets blue wrap round at 2^31, so that it turns 0 where luma and u are near their
/// top. Source: FFmpeg@n8.1 libswscale/output.c, yuv2rgb_full_1.
void full_chroma_row(const ColorFactors& factors, const YuvView& picture, int row,
                     const std::array<std::uint8_t*, 3>& out);

/// As full_chroma_row() for one pixel whose chroma, less its zero, has 17 bits.
std::array<std::uint8_t, 3> full_chroma_pixel(const ColorFactors& factors,
                                              std::uint32_t y, std::uint32_t u,
                                              std::uint32_t v);

/// Whether FFmpeg sends such a picture through its scaler, which mixes neighbouring
/// chroma samples by where they lie, and not through its plain colour step.
bool mixes_chroma(Chroma chroma, int bit_depth, int height, bool interlaced);

/// Whether to_rgb() gives FFmpeg's rgb24 bit for bit: 8 and 10 bits; 4:4:4 of at least
/// two columns (one is not told from 4:2:2); interlaced pictures of even height, 4:2:0
/// of a height that four divides (else FFmpeg reads below the odd field's chroma).
bool takes(Chroma chroma, int bit_depth, int width, int height, bool interlaced);

}  // namespace edgeval::pixels
