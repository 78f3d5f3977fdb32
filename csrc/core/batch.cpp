#include "core/batch.hpp"

#include <cstddef>

#include "core/error.hpp"

namespace edgeval::batch {
namespace {

const Kernels* find(Path path) {
  switch (path) {
    case Path::kScalar:
      return &scalar_kernels();
    case Path::kAvx2:
      return avx2_kernels();
    case Path::kAvx512:
      return avx512_kernels();
    case Path::kNeon:
      return nullptr;
    case Path::kAuto:
      break;
  }
  for (const Path fastest : {Path::kAvx512, Path::kAvx2}) {
    if (const Kernels* found = find(fastest)) return found;
  }
  return &scalar_kernels();
}

}  // namespace

bool has(Path path) { return find(path) != nullptr; }

const Kernels& kernels(Path path) {
  const Kernels* found = find(path);
  if (found == nullptr) {
    throw ArgumentError(
        "metrics: got a kernel that this machine cannot run or that is not written; "
        "use the scalar one");
  }
  return *found;
}

/// 1 - numpy.linspace(0.5, 0.95, 10), from the sum i * step + 0.5 with the last one
/// set.
std::array<double, kThresholds> tolerances_float64() {
  constexpr double kFirst = 0.5;
  constexpr double kLast = 0.95;
  constexpr double kStep = (kLast - kFirst) / (kThresholds - 1);
  std::array<double, kThresholds> tolerances{};
  for (int i = 0; i < kThresholds; ++i) {
    const double threshold = i == kThresholds - 1 ? kLast : i * kStep + kFirst;
    tolerances[static_cast<std::size_t>(i)] = 1 - threshold;
  }
  return tolerances;
}

/// 1 - torch.arange(0.5, 0.975, 0.05, dtype=float32): stepped in float64, rounded, then
/// subtracted in float32.
std::array<float, kThresholds> tolerances_float32() {
  constexpr double kFirst = 0.5;
  constexpr double kStep = 0.05;
  std::array<float, kThresholds> tolerances{};
  for (int i = 0; i < kThresholds; ++i) {
    const auto threshold = static_cast<float>(kFirst + i * kStep);
    tolerances[static_cast<std::size_t>(i)] = 1.0F - threshold;
  }
  return tolerances;
}

}  // namespace edgeval::batch
