#pragma once

#include "core/resize.hpp"
#include "core/simd.hpp"

/// Windows and weights of an axis in the order that vector kernels read them.
namespace edgeval::pixels {

/// Whether one load of `bytes` holds `taps` neighbouring taps of any `lanes`
/// neighbouring outputs.
bool fits(const Axis& axis, int lanes, int bytes, int taps);

/// Groups of `group` outputs, padded with the last one at weight 0. `first`: where each
/// `lanes` of a group load. `weight`: for each group and tap pair, two weights of every
/// output. `shuffle`: for each group and tap pair of a load, the bytes that feed them,
/// as 16-bit numbers (128 = zero).
HorizontalPack pack_pairs(const Axis& axis, int group, int lanes, int bytes);

/// The same for a coarse axis: taps by four, weights in `quads`, bytes as they are.
HorizontalPack pack_quads(const Axis& axis, int group, int lanes, int bytes);

/// One window per output, padded with weight 0 to a multiple of `step` taps.
HorizontalPack pack_wide(const Axis& axis, int step);

}  // namespace edgeval::pixels
