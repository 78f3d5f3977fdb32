#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/floatresize.hpp"

namespace edgeval::floats {
namespace {

/// Adds tap k of `count` to a sum.
float added(float sum, float value, float weight, std::int64_t k, std::int64_t count) {
  if (k == 0) return value * weight;
  return k < grouped(count) ? sum + value * weight : std::fma(value, weight, sum);
}

void spread(const std::uint8_t* const* rows, int n, float* block) {
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    for (std::ptrdiff_t i = 0; i < kLanes; ++i) block[j * kLanes + i] = rows[i][j];
  }
}

void across(const float* block, const Taps& taps, float* columns) {
  constexpr std::ptrdiff_t kPixel = std::ptrdiff_t{3} * kLanes;
  for (std::ptrdiff_t x = 0; x < taps.n_out; ++x) {
    const float* from = block + taps.first[x] * kPixel;
    const float* weight = taps.weight + x * taps.most;
    for (std::ptrdiff_t i = 0; i < kPixel; ++i) {
      float sum = 0.0F;
      for (std::int64_t k = 0; k < taps.count[x]; ++k) {
        sum = added(sum, from[k * kPixel + i], weight[k], k, taps.count[x]);
      }
      columns[x * kPixel + i] = sum;
    }
  }
}

void gather(const float* columns, int n, float* const* rows) {
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    for (std::ptrdiff_t i = 0; i < kLanes; ++i) rows[i][j] = columns[j * kLanes + i];
  }
}

void down(const float* const* rows, const float* weight, std::int64_t count, int n,
          std::uint8_t* out) {
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    float sum = 0.0F;
    for (std::int64_t k = 0; k < count; ++k) {
      sum = added(sum, rows[k][j], weight[k], k, count);
    }
    out[j] = static_cast<std::uint8_t>(
        std::nearbyint(std::clamp(sum, 0.0F, 255.0F)));  // to even, where halfway
  }
}

}  // namespace

const Kernels& scalar_kernels() {
  static constexpr Kernels kKernels = {Path::kScalar, "scalar", spread,
                                       across,        gather,   down};
  return kKernels;
}

}  // namespace edgeval::floats
