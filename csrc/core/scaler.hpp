#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/color.hpp"

/// The arithmetic of FFmpeg's scaler where it does not scale: it turns 4:2:0 and 4:2:2
/// of more than 8 bits, or of odd height, into RGB through planes of 15 bits.
namespace edgeval::pixels {

/// One chroma axis stretched to the picture: sample i is `first[i]` and `second[i]`
/// mixed, `weight[i]` of `one` from the second. As at the borders, both may be one.
struct Stretch {
  int one = 0;
  std::vector<int> first;
  std::vector<int> second;
  std::vector<int> weight;

  /// Whether every output is the input of the same number.
  [[nodiscard]] bool identity() const;
};

/// From n_in samples to n_out (>= n_in), the first input sample lying `source` and the
/// first output `target` into a step of its own, in 1/256 (the middle is 128). `align`:
/// swscale's filterAlign, which decides whether a third, tiny weight is kept. Source:
/// FFmpeg@n8.1 libswscale/utils.c, initFilter, bilinear.
Stretch make_stretch(int n_in, int n_out, int source, int target, int one, int align);

/// One chroma row to 15 bits, as wide as `stretch` (whose `one` is 2^14) makes it.
void stretch_row(const Stretch& stretch, const std::uint8_t* in, int bit_depth,
                 std::int16_t* out);

/// What a chroma sample c of 8 bits moves the place of a luma step by:
/// start + (c * step >> 16), step = whole * 65536 + part.
struct PlaceFactors {
  std::int16_t start;
  std::int16_t whole;
  std::uint16_t part;
};

/// From places to bytes: a byte is place + base + ((place * gain + bias) >> 16),
/// clamped, place = luma + what its chroma samples move it by.
struct PlaceColor {
  PlaceFactors v_to_r;
  PlaceFactors u_to_g;
  PlaceFactors v_to_g;
  PlaceFactors u_to_b;
  std::int16_t gain;
  std::int16_t bias;
  std::int16_t base;
};

/// Source: FFmpeg@n8.1 libswscale/yuv2rgb.c, ff_yuv2rgb_c_init_tables: its look-up
/// tables as the arithmetic that fills them.
PlaceColor place_color(Matrix matrix, bool full_range);

/// Two neighbouring chroma rows as 15-bit numbers, mixed by `weight` / 4096 of the
/// second.
struct ChromaRows {
  std::array<const std::int16_t*, 2> u;
  std::array<const std::int16_t*, 2> v;
  int weight;
};

/// One row of a picture of odd width, where FFmpeg stretches chroma to every pixel:
/// chroma rows as wide as the picture. Source: FFmpeg@n8.1 libswscale/output.c,
/// yuv2rgb_full_1.
void full_mixed_row(const ColorFactors& factors, const YuvView& picture, int row,
                    const ChromaRows& chroma, const std::array<std::uint8_t*, 3>& out);

}  // namespace edgeval::pixels
