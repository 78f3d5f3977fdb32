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

/// Where output i's window starts after the load it shares.
int offset_of(const Axis& axis, int i, int lanes) {
  return first_of(axis, i) - first_of(axis, i - i % lanes);
}

/// The largest offset there is.
int span_of(const Axis& axis, int lanes) {
  int span = 0;
  for (int i = lanes - 1; i < axis.n_out + lanes; i += lanes) {
    span = std::max(span, offset_of(axis, i, lanes));
  }
  return span;
}

/// A pack, still without its tables, that takes taps `step` at a time. Windows are
/// padded to fill their last load.
HorizontalPack start(const Axis& axis, int lanes, int bytes, int step) {
  const int steps = (axis.taps + step - 1) / step;
  const int most = (bytes - span_of(axis, lanes)) / step;
  const int loads = (steps + most - 1) / most;
  HorizontalPack packed;
  packed.n_out = axis.n_out;
  packed.lanes = lanes;
  packed.precision = axis.precision;
  packed.coarse = axis.coarse;
  packed.per_load = (steps + loads - 1) / loads;
  packed.taps = step * loads * static_cast<int>(packed.per_load);
  return packed;
}

}  // namespace

bool fits(const Axis& axis, int lanes, int bytes, int taps) {
  return span_of(axis, lanes) + taps <= bytes;
}

HorizontalPack pack_pairs(const Axis& axis, int group, int lanes, int bytes) {
  HorizontalPack packed = start(axis, lanes, bytes, 2);
  for (int begin = 0; begin < axis.n_out; begin += group) {
    const int end = begin + group;
    for (int i = begin; i < end; i += lanes) packed.first.push_back(first_of(axis, i));
    for (int k = 0; k < packed.per_load; ++k) {
      for (int i = begin; i < end; ++i) {
        const auto byte = static_cast<std::uint8_t>(offset_of(axis, i, lanes) + 2 * k);
        const auto next = static_cast<std::uint8_t>(byte + 1);
        packed.shuffle.insert(packed.shuffle.end(), {byte, 128, next, 128});
      }
    }
    for (int tap = 0; tap < packed.taps; tap += 2) {
      for (int i = begin; i < end; ++i) {
        packed.weight.push_back(weight_of(axis, i, tap));
        packed.weight.push_back(weight_of(axis, i, tap + 1));
      }
    }
  }
  return packed;
}

HorizontalPack pack_quads(const Axis& axis, int group, int lanes, int bytes) {
  HorizontalPack packed = start(axis, lanes, bytes, 4);
  for (int begin = 0; begin < axis.n_out; begin += group) {
    const int end = begin + group;
    for (int i = begin; i < end; i += lanes) packed.first.push_back(first_of(axis, i));
    for (int k = 0; k < packed.per_load; ++k) {
      for (int i = begin; i < end; ++i) {
        const int from = offset_of(axis, i, lanes) + 4 * k;
        for (int byte = from; byte < from + 4; ++byte) {
          packed.shuffle.push_back(static_cast<std::uint8_t>(byte));
        }
      }
    }
    for (int quad = 0; quad < packed.taps; quad += 4) {
      for (int i = begin; i < end; ++i) {
        for (int tap = quad; tap < quad + 4; ++tap) {
          packed.quads.push_back(static_cast<std::int8_t>(weight_of(axis, i, tap)));
        }
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
  packed.coarse = axis.coarse;
  packed.first = axis.first;
  packed.weight.reserve(static_cast<std::size_t>(axis.n_out) * packed.taps);
  for (int i = 0; i < axis.n_out; ++i) {
    for (int k = 0; k < packed.taps; ++k)
      packed.weight.push_back(weight_of(axis, i, k));
  }
  return packed;
}

}  // namespace edgeval::pixels
