#pragma once

#include <cstdint>

#include "core/color.hpp"
#include "core/patches.hpp"
#include "core/resize.hpp"
#include "core/rows.hpp"
#include "core/simd.hpp"

/// From decoded planes to what a vision tower eats, one pass over rows.
///
/// YUV row -> three u8 planes -> horizontal pass -> ring of rows -> vertical pass ->
/// interleaved RGB, normalised CHW or patches. Nothing the size of a picture is
/// allocated here: the caller owns the output, a call holds a few dozen rows.
namespace edgeval::pixels {

/// u8 RGB [height, width, 3] of a picture, bit-equal to FFmpeg's rgb24 where takes()
/// says so. Throws ArgumentError for what takes() refuses and for senseless sizes.
/// Returns the path that ran.
Path to_rgb(const YuvView& picture, Path path, std::uint8_t* out);

/// One or two resizes and the output layout, in one pass. `steps` holds the resizes in
/// turn; each must start where the one before it ends. `out` is described by `target`,
/// whose height and width are those of the last step (or of the picture without one).
/// Throws ArgumentError where sizes do not meet. Returns the path that ran.
Path see(const YuvView& picture, const Steps& steps, const Target& target, Path path);
Path see(const RgbView& picture, const Steps& steps, const Target& target, Path path);

}  // namespace edgeval::pixels
