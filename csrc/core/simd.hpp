#pragma once

#include <cstdint>
#include <vector>

namespace edgeval::pixels {

struct Axis;
struct ColorFactors;

/// Which instructions a kernel is written in. All give the same bits.
enum class Path { kAuto, kScalar, kAvx2, kAvx512, kNeon };

/// Rows inside the pass are this many bytes longer than they say, so that a vector may
/// start at the last pixel: kernels read and write up to kSlack bytes past the end of
/// every row except those of the caller (yuv_row's input, join's output).
constexpr int kSlack = 64;

/// An axis as the horizontal kernel of one path wants it. `lanes` neighbouring outputs
/// share one load of the source; 1 means that windows lie too far apart for that, and
/// each output has its own, `taps` long.
struct HorizontalPack {
  int n_out = 0;
  int lanes = 1;
  int taps = 0;  // of a window, padding included
  int precision = 0;
  int per_load = 1;  // tap pairs that one load serves
  std::vector<std::int32_t> first;
  std::vector<std::int16_t> weight;
  std::vector<std::uint8_t> shuffle;
};

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
  /// Interleaved RGB to planes and back.
  void (*split)(const std::uint8_t* rgb, int width, Row out);
  void (*join)(Row row, int width, std::uint8_t* rgb);
  HorizontalPack (*pack)(const Axis& axis);
  /// Three planes of one row through the horizontal axis, rounded and clamped to u8.
  void (*horizontal)(const HorizontalPack& pack, Row in, Row out);
  /// Weighted sum of `taps` rows, rounded and clamped to u8.
  void (*vertical)(const std::uint8_t* const* rows, const std::int16_t* weight,
                   int taps, int precision, int width, std::uint8_t* out);
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
