#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/path.hpp"
#include "core/simd_aligned.hpp"

namespace edgeval::pixels {

struct Axis;
struct ChromaRows;
struct ColorFactors;
struct PlaceColor;

using edgeval::Path;

/// Rows inside the pass are this many bytes longer than they say, so that a vector may
/// start at the last pixel: kernels read and write up to kSlack bytes past the end of
/// every row except those of the caller (inputs of yuv_row and widen, mixed_row's luma,
/// join's output).
constexpr int kSlack = 64;

/// An axis as the horizontal kernel of one path wants it. `lanes` neighbouring outputs
/// share one load of the source; 1 means that windows lie too far apart for that, and
/// each output has its own, `taps` long.
struct HorizontalPack {
  int n_out = 0;
  int lanes = 1;
  int taps = 0;  // of a window, padding included
  int precision = 0;
  std::ptrdiff_t per_load = 1;  // tap pairs or quads that one load serves
  bool coarse = false;          // products sum in 16 bits, see make_axis
  std::vector<std::int32_t> first;
  AlignedVector<std::int16_t> weight;
  AlignedVector<std::int8_t> quads;  // weights where a kernel wants bytes
  AlignedVector<std::uint8_t> shuffle;

  [[nodiscard]] int half() const { return precision > 0 ? 1 << (precision - 1) : 0; }
};

/// The vertical window of one output row. `pairs` holds its weights two by two as
/// vectors repeat them, the last with a 0 where taps are odd: 16 bits each, coarse ones
/// 8 and twice over.
struct Window {
  const std::int16_t* weight;
  const std::uint32_t* pairs;
  int taps;
  int precision;
  bool coarse;

  [[nodiscard]] int half() const { return precision > 0 ? 1 << (precision - 1) : 0; }
};

/// The 16-bit sums of coarse kernels start this far below 0, else they would pass
/// 32767.
constexpr int kBias = 16384;

/// Three planes of one row.
struct Row {
  std::uint8_t* plane[3];
};

/// The inner loops, one set per path. `width` counts pixels.
struct Kernels {
  Path path;
  const char* name;
  /// One row of 8-bit YUV with chroma at half width to three planes.
  void (*yuv_row)(const ColorFactors& factors, const std::uint8_t* y,
                  const std::uint8_t* u, const std::uint8_t* v, int width, Row out);
  /// One chroma row of 8 or (as u16) 10 bits to 15; with `quarter` each sample is three
  /// parts itself and one part the next, the last alone.
  void (*widen)(const std::uint8_t* in, int bit_depth, int width, bool quarter,
                std::int16_t* out);
  /// One row of even width, luma of 8 or (as u16) 10 bits, to three planes.
  void (*mixed_row)(const PlaceColor& color, const std::uint8_t* luma, int bit_depth,
                    const ChromaRows& chroma, int width, Row out);
  /// Interleaved RGB to planes and back.
  void (*split)(const std::uint8_t* rgb, int width, Row out);
  void (*join)(Row row, int width, std::uint8_t* rgb);
  HorizontalPack (*pack)(const Axis& axis);
  /// Three planes of one row through the horizontal axis, rounded and clamped to u8.
  void (*horizontal)(const HorizontalPack& pack, Row in, Row out);
  /// Weighted sum of rows, one plane, rounded and clamped to u8. With odd taps, one
  /// more row must be readable.
  void (*vertical)(const std::uint8_t* const* rows, const Window& window, int width,
                   std::uint8_t* out);
  /// (float(u8) - mean) / std, one plane of one row, to f32 or (nearest even) f16 bits.
  void (*normalise_f32)(const std::uint8_t* in, int width, float mean, float std,
                        float* out);
  void (*normalise_f16)(const std::uint8_t* in, int width, float mean, float std,
                        std::uint16_t* out);
};

/// The kernels of a path; kAuto picks the fastest this machine runs. Throws
/// ArgumentError for a path it does not have.
const Kernels& kernels(Path path);

/// Whether kernels(path) would throw.
bool has(Path path);

const Kernels& scalar_kernels();
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

}  // namespace edgeval::pixels
