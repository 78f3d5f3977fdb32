#pragma once

#include "core/resize.hpp"
#include "core/simd.hpp"

/// Windows and weights of an axis in the order that vector kernels read them.
namespace edgeval::pixels {

/// Whether one load of `bytes` holds a tap pair of any `lanes` neighbouring outputs.
bool fits(const Axis& axis, int lanes, int bytes);

/// Groups of `group` outputs, padded with the last one at weight 0. `first`: where each
/// `lanes` of a group load. `weight`: for each group and tap pair, two weights of every
/// output. `shuffle`: for each group and tap pair of a load, the bytes that feed them,
/// as 16-bit numbers (128 = zero).
HorizontalPack pack_near(const Axis& axis, int group, int lanes, int bytes);

/// One window per output, padded with weight 0 to a multiple of `step` taps.
HorizontalPack pack_wide(const Axis& axis, int step);

}  // namespace edgeval::pixels
