#include "core/simd_pack.hpp"

#include <algorithm>
#include <cstddef>

namespace edgeval::pixels {
namespace {

int first_of(const Axis& axis, int i) {
  return axis.first[static_cast<std::size_t>(std::min(i, axis.n_out - 1))];
}

std::int16_t weight_of(const Axis& axis, int i, int tap) {
  if (i >= axis.n_out || tap >= axis.taps) return 0;
  return axis.weight[static_cast<std::size_t>(i) * axis.taps + tap];
}

/// Bytes from the first window of any `lanes` outputs to their last.
int span_of(const Axis& axis, int lanes) {
  int span = 0;
  for (int i = 0; i < axis.n_out; i += lanes) {
    span = std::max(span, first_of(axis, i + lanes - 1) - first_of(axis, i));
  }
  return span;
}

}  // namespace

bool fits(const Axis& axis, int lanes, int bytes) {
  return span_of(axis, lanes) <= bytes - 2;
}

HorizontalPack pack_near(const Axis& axis, int group, int lanes, int bytes) {
  const int pairs = (axis.taps + 1) / 2;
  HorizontalPack packed;
  packed.n_out = axis.n_out;
  packed.lanes = lanes;
  packed.taps = 2 * pairs;
  packed.precision = axis.precision;
  packed.per_load = std::min((bytes - 2 - span_of(axis, lanes)) / 2 + 1, pairs);
  for (int start = 0; start < axis.n_out; start += group) {
    for (int i = start; i < start + group; i += lanes) {
      packed.first.push_back(first_of(axis, i));
    }
    for (int k = 0; k < packed.per_load; ++k) {
      for (int lane = 0; lane < group; ++lane) {
        const int i = start + lane;
        const int from = first_of(axis, i) - first_of(axis, i - lane % lanes) + 2 * k;
        const auto byte = static_cast<std::uint8_t>(from);
        const auto next = static_cast<std::uint8_t>(from + 1);
        packed.shuffle.insert(packed.shuffle.end(), {byte, 128, next, 128});
      }
    }
    for (int k = 0; k < pairs; ++k) {
      for (int i = start; i < start + group; ++i) {
        packed.weight.push_back(weight_of(axis, i, 2 * k));
        packed.weight.push_back(weight_of(axis, i, 2 * k + 1));
      }
    }
  }
  return packed;
}

HorizontalPack pack_wide(const Axis& axis, int step) {
  HorizontalPack packed;
  packed.n_out = axis.n_out;
  packed.taps = (axis.taps + step - 1) / step * step;
  packed.precision = axis.precision;
  packed.first = axis.first;
  packed.weight.reserve(static_cast<std::size_t>(axis.n_out) * packed.taps);
  for (int i = 0; i < axis.n_out; ++i) {
    for (int k = 0; k < packed.taps; ++k)
      packed.weight.push_back(weight_of(axis, i, k));
  }
  return packed;
}

}  // namespace edgeval::pixels
