#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/simd.hpp"

namespace edgeval::pixels {

enum class Filter { kBilinear, kBicubic, kLanczos };
enum class Mode { kExact, kFast };

/// One axis of an antialiased resize from n_in to n_out samples. Output i is the sum of
/// `weight[i * taps + k] * sample[first[i] + k]` over its count[i] taps, times
/// 2^-precision. All windows lie inside [0, n_in).
struct Axis {
  int n_in = 0;
  int n_out = 0;
  int taps = 0;
  int precision = 0;
  bool coarse = false;
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> count;
  std::vector<std::int16_t> weight;
  std::vector<std::uint32_t> pairs;  // [n_out, (taps + 1) / 2], as Window has them

  [[nodiscard]] bool identity() const { return n_in == n_out; }
  [[nodiscard]] Window window(int i) const;
};

/// The windows and weights of an axis, as ATen's uint8 antialias kernel makes them: the
/// filter stretched by max(1, n_in / n_out), weights normalised in float64.
///
/// kExact rounds them as it does, to int16 with precision the largest p < 22 that keeps
/// round(max weight * 2^p) < 2^15. kFast keeps 7 bits (6 where two neighbours would not
/// fit), rounded so that every leading sum is off by half a step at most and all of
/// them make exactly 1; products then sum in 16 bits. Throws ArgumentError unless 1 <=
/// n_in, n_out <= 65535 and n_in / n_out < 512. Source: pytorch@v2.13
/// aten/src/ATen/native/cpu/UpSampleKernel.cpp, _compute_index_ranges_int16_weights;
/// bicubic has a = -0.5, Lanczos three lobes.
Axis make_axis(int n_in, int n_out, Filter filter, Mode mode);

/// One resize, ready to run on pictures of one size. Immutable: threads may share it.
/// Throws ArgumentError for senseless sizes and for a path this machine lacks.
class Resize {
 public:
  Resize(int in_height, int in_width, int out_height, int out_width, Filter filter,
         Mode mode, Path path);

  [[nodiscard]] const Axis& horizontal() const { return horizontal_; }
  [[nodiscard]] const Axis& vertical() const { return vertical_; }
  [[nodiscard]] const HorizontalPack& pack() const { return pack_; }
  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] Path path() const { return path_; }

 private:
  Axis horizontal_;
  Axis vertical_;
  Mode mode_;
  Path path_;
  HorizontalPack pack_;
};

/// Up to two resizes in turn; null means none.
using Steps = std::array<const Resize*, 2>;

}  // namespace edgeval::pixels
