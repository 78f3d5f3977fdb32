#include "core/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "core/error.hpp"

namespace edgeval {
namespace {

constexpr int kThresholds = 10;

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

/// As torch.tensor(x, dtype=float32) has it: too large becomes infinite.
float narrowed(double x) {
  using Limits = std::numeric_limits<float>;
  if (std::abs(x) <= static_cast<double>(Limits::max()) || std::isnan(x)) {
    return static_cast<float>(x);
  }
  return x > 0 ? Limits::infinity() : -Limits::infinity();
}

}  // namespace

void mean_relative_accuracy_float64(const double* got, const double* want,
                                    std::int64_t n, double* out) {
  if (std::find(want, want + n, 0.0) != want + n) {
    throw ArgumentError(
        "mean relative accuracy: got want=0; the error relative to 0 is undefined, "
        "leave the question out");
  }
  const std::array<double, kThresholds> tolerances = tolerances_float64();
  for (std::int64_t i = 0; i < n; ++i) {
    const double error = std::abs(got[i] - want[i]) / want[i];
    const auto passed =
        std::count_if(tolerances.begin(), tolerances.end(),
                      [error](double tolerance) { return error <= tolerance; });
    out[i] = static_cast<double>(passed) / kThresholds;
  }
}

void mean_relative_accuracy_float32(const double* got, const double* want,
                                    std::int64_t n, double* out) {
  constexpr float kEpsilon = 1e-8F;
  const std::array<float, kThresholds> tolerances = tolerances_float32();
  for (std::int64_t i = 0; i < n; ++i) {
    const float target = narrowed(want[i]);
    const float error =
        std::abs(narrowed(got[i]) - target) / (std::abs(target) + kEpsilon);
    const auto passed =
        std::count_if(tolerances.begin(), tolerances.end(),
                      [error](float tolerance) { return error < tolerance; });
    out[i] = static_cast<double>(static_cast<float>(passed) / kThresholds);
  }
}

void tally(const std::int64_t* groups, const std::int64_t* classes, std::int64_t n,
           std::int64_t n_groups, std::int64_t n_classes, std::int64_t* out) {
  std::fill(out, out + n_groups * n_classes, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    if (groups[i] < 0 || groups[i] >= n_groups || classes[i] < 0 ||
        classes[i] >= n_classes) {
      throw ArgumentError("tally: got group " + std::to_string(groups[i]) + ", class " +
                          std::to_string(classes[i]) + "; wants below " +
                          std::to_string(n_groups) + " and " +
                          std::to_string(n_classes));
    }
    ++out[groups[i] * n_classes + classes[i]];
  }
}

}  // namespace edgeval
