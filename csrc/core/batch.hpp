#pragma once

#include <array>
#include <cstdint>

#include "core/path.hpp"
#include "core/rewards.hpp"

/// Inner loops over many numbers or many short groups of them, one set per path. What
/// they compute is said where they are called: core/metrics.hpp, core/rewards.hpp.
namespace edgeval::batch {

/// Arguments are checked already; out is overwritten. All paths give the same bits (of
/// a NaN, only that it is one).
struct Kernels {
  Path path;
  const char* name;
  /// Whether no `want` is 0, without which out means nothing.
  bool (*accuracy_float64)(const double* got, const double* want, std::int64_t n,
                           double* out);
  void (*accuracy_float32)(const double* got, const double* want, std::int64_t n,
                           double* out);
  void (*temporal)(const double* ordered, Groups groups, const double* shuffled,
                   std::int64_t n_shuffled, double* bonus, double* granted);
  void (*advantages)(const double* rewards, Groups groups, double* out);
  void (*t_grpo)(const GroupResults& results, Groups groups, double* rewards,
                 double* advantages, double* granted);
};

/// The kernels of a path; kAuto picks the fastest this machine runs. Throws
/// ArgumentError for a path it does not have.
const Kernels& kernels(Path path = Path::kAuto);

/// Whether kernels(path) would throw.
bool has(Path path);

const Kernels& scalar_kernels();
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();

inline constexpr std::int64_t kLanes = 8;    // Terms of a sum that numpy adds apart.
inline constexpr std::int64_t kBlock = 128;  // It adds more than that by halves.
inline constexpr double kInOrder =
    0.3;                               // What keeping up with shuffled frames is worth.
inline constexpr double kKept = 0.8;   // Of their mean accuracy, to keep up.
inline constexpr double kTried = 0.1;  // No more accuracy than that earns no bonus.
inline constexpr double kImage = 0.5;  // What is granted without shuffled frames.
inline constexpr double kLengthBonus = 0.2;
inline constexpr std::uint64_t kLeastTokens = 320;
inline constexpr std::uint64_t kTokenRange = 512 - kLeastTokens;
inline constexpr double kEpsilon = 1e-4;  // Added to a deviation.

/// What dividing by a group's size is: multiplying where that is exact, and dividing
/// else, which is what these kernels would wait for.
struct Size {
  explicit Size(std::int64_t n)
      : size(static_cast<double>(n)), share(1 / size), exact((n & (n - 1)) == 0) {}

  double size;
  double share;
  bool exact;
};

inline constexpr int kThresholds = 10;

/// What errors pass, from 0.5 down to 0.05, as the sources compute them.
std::array<double, kThresholds> tolerances_float64();
std::array<float, kThresholds> tolerances_float32();

}  // namespace edgeval::batch
