#pragma once

#include <cstddef>
#include <cstdint>

#include "core/path.hpp"

/// Antialiased resize of u8 RGB in float32: along rows, then along columns, rounded and
/// clamped at the end only. The weights are the caller's, the order of operations is
/// torch's. Source: pytorch@v2.13 aten/src/ATen/native/cpu/UpSampleKernel.cpp.
namespace edgeval::floats {

/// Which inputs make each output of one axis: `count[i]` from number `first[i]` on,
/// with the weights at `weight + i * most`.
struct Taps {
  const std::int64_t* first;
  const std::int64_t* count;
  const float* weight;
  int n_in;
  int n_out;
  int most;
};

/// Columns of a picture are worked on this many rows at once.
constexpr int kLanes = 8;

/// Of `count` taps those before this number are added with a rounded product, those
/// from it on with a fused one: torch's loop is compiled in groups of four.
constexpr std::int64_t grouped(std::int64_t count) { return 1 + (count - 1) / 4 * 4; }

/// The inner loops, one set per path. All give the same bits.
struct Kernels {
  Path path;
  const char* name;
  /// kLanes rows of n bytes to [n][kLanes].
  void (*spread)(const std::uint8_t* const* rows, int n, float* block);
  /// [3 * n_in][kLanes] to [3 * n_out][kLanes].
  void (*across)(const float* block, const Taps& taps, float* columns);
  /// [n][kLanes] to kLanes rows of n; n is a multiple of kLanes.
  void (*gather)(const float* columns, int n, float* const* rows);
  /// `count` rows weighed, rounded to even and clamped to n bytes; rows hold the next
  /// multiple of kLanes.
  void (*down)(const float* const* rows, const float* weight, std::int64_t count, int n,
               std::uint8_t* out);
};

/// The kernels of a path; kAuto picks the fastest this machine runs. Throws
/// ArgumentError for a path it does not have.
const Kernels& kernels(Path path);

const Kernels& scalar_kernels();
const Kernels* avx2_kernels();
const Kernels* neon_kernels();

/// u8 RGB [down.n_in, across.n_in, 3] to [down.n_out, across.n_out, 3]. Throws
/// ArgumentError for taps outside the picture. Returns the path that ran.
Path resize(const std::uint8_t* image, const Taps& across, const Taps& down, Path path,
            std::uint8_t* out);

}  // namespace edgeval::floats
