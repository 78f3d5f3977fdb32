#pragma once

#include <array>
#include <cstdint>

#include "core/simd.hpp"

namespace edgeval::pixels {

enum class Layout { kRgb, kChw, kPatches };
enum class Type { kU8, kF32, kF16 };

/// Patches of a vision transformer that merges merge x merge of them into a token and
/// takes `frames` pictures at a time (Qwen2-VL: size 14, merge 2, frames 2).
struct PatchGrid {
  int size = 14;
  int merge = 2;
  int frames = 2;
};

/// Where rows go, and as what.
///
/// kRgb: u8 [height, width, 3]. kChw: [3, height, width]. kPatches: [height/size *
/// width/size, 3, frames, size, size] with the patches of one merge block side by side,
/// the order of view [gt, frames, 3, gh/m, m, p, gw/m, m, p] -> (0,3,6,4,7,2,1,5,8);
/// `slot` says which of its `frames` this picture is. kChw and kPatches are normalised:
/// (float(u8) - mean * 255f) / (std * 255f), in f32, then rounded for f16.
struct Target {
  Layout layout = Layout::kRgb;
  Type type = Type::kU8;
  void* data = nullptr;
  int height = 0;
  int width = 0;
  std::array<float, 3> mean{};
  std::array<float, 3> std{};
  PatchGrid grid{};
  int slot = 0;
};

/// Throws ArgumentError for a target that makes no sense: u8 with a normalised layout,
/// a std of zero, sides that are no multiple of size * merge, a slot outside the grid.
void check(const Target& target);

/// Elements one picture's target holds (for kPatches: of all its frames).
std::int64_t count(const Target& target);

/// Writes row y of a picture into its target. `scratch` holds 3 * width elements of 4
/// bytes, used by kPatches only.
void put_row(const Kernels& kernels, const Target& target, int y, Row row,
             void* scratch);

}  // namespace edgeval::pixels
