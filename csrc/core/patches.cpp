#include "core/patches.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include "core/error.hpp"

namespace edgeval::pixels {
namespace {

void normalise(const Kernels& kernels, const Target& target, int channel,
               const std::uint8_t* in, void* out) {
  const float mean = target.mean[channel] * 255.0F;
  const float std = target.std[channel] * 255.0F;
  if (target.type == Type::kF32) {
    kernels.normalise_f32(in, target.width, mean, std, static_cast<float*>(out));
  } else {
    kernels.normalise_f16(in, target.width, mean, std,
                          static_cast<std::uint16_t*>(out));
  }
}

std::int64_t bytes_of(Type type) {
  switch (type) {
    case Type::kU8:
      return 1;
    case Type::kF16:
      return 2;
    case Type::kF32:
      break;
  }
  return 4;
}

void put_patches(const Kernels& kernels, const Target& target, int y, Row row,
                 void* scratch) {
  const int size = target.grid.size;
  const int merge = target.grid.merge;
  const std::int64_t bytes = bytes_of(target.type);
  const std::int64_t run = size * bytes;  // one row of one patch
  const std::int64_t plane = run * size;  // one channel of one frame
  const std::int64_t channel = plane * target.grid.frames;
  const std::int64_t patch = channel * 3;
  const int grid_y = y / size;
  const std::int64_t across = target.width / size;
  auto* const line = static_cast<std::uint8_t*>(scratch);
  std::uint8_t* const base =
      static_cast<std::uint8_t*>(target.data) + target.slot * plane + (y % size) * run;
  for (int c = 0; c < 3; ++c) {
    normalise(kernels, target, c, row.plane[c], line);
    for (int gx = 0; gx < across; ++gx) {
      const std::int64_t block = grid_y / merge * (across / merge) + gx / merge;
      const std::int64_t inside = grid_y % merge * merge + gx % merge;
      std::memcpy(base + (block * merge * merge + inside) * patch + c * channel,
                  line + gx * run, run);
    }
  }
}

}  // namespace

void check(const Target& target) {
  if (target.height < 1 || target.width < 1) {
    throw ArgumentError("pixels: got an output of " + std::to_string(target.height) +
                        " x " + std::to_string(target.width) +
                        "; wants at least 1 x 1");
  }
  if ((target.layout == Layout::kRgb) != (target.type == Type::kU8)) {
    throw ArgumentError(
        "pixels: got an element type that does not fit the layout; wants uint8 with "
        "'rgb', float32 or float16 with 'chw' and 'patches'");
  }
  if (target.layout == Layout::kRgb) return;
  for (int c = 0; c < 3; ++c) {
    if (!std::isfinite(target.mean[c]) || !std::isfinite(target.std[c]) ||
        target.std[c] <= 0.0F) {
      throw ArgumentError("normalise: got mean " + std::to_string(target.mean[c]) +
                          " and std " + std::to_string(target.std[c]) +
                          "; wants finite numbers and std > 0");
    }
  }
  if (target.layout == Layout::kChw) return;
  const PatchGrid& grid = target.grid;
  if (grid.size < 1 || grid.merge < 1 || grid.frames < 1 || grid.size > 1024 ||
      grid.merge > 64 || grid.frames > 64) {
    throw ArgumentError("patches: got size " + std::to_string(grid.size) + ", merge " +
                        std::to_string(grid.merge) + ", frames " +
                        std::to_string(grid.frames) +
                        "; wants 1..1024, 1..64 and 1..64");
  }
  const int step = grid.size * grid.merge;
  if (target.height % step != 0 || target.width % step != 0) {
    throw ArgumentError("patches: got " + std::to_string(target.height) + " x " +
                        std::to_string(target.width) + " pixels; wants multiples of " +
                        std::to_string(step));
  }
  if (target.slot < 0 || target.slot >= grid.frames) {
    throw ArgumentError("patches: got slot " + std::to_string(target.slot) +
                        "; wants 0.." + std::to_string(grid.frames - 1));
  }
}

std::int64_t count(const Target& target) {
  const std::int64_t frames =
      target.layout == Layout::kPatches ? target.grid.frames : 1;
  return static_cast<std::int64_t>(target.height) * target.width * 3 * frames;
}

void put_row(const Kernels& kernels, const Target& target, int y, Row row,
             void* scratch) {
  const std::int64_t area = static_cast<std::int64_t>(target.height) * target.width;
  const std::int64_t offset = static_cast<std::int64_t>(y) * target.width;
  auto* const data = static_cast<std::uint8_t*>(target.data);
  switch (target.layout) {
    case Layout::kRgb:
      kernels.join(row, target.width, data + 3 * offset);
      return;
    case Layout::kChw:
      for (int c = 0; c < 3; ++c) {
        normalise(kernels, target, c, row.plane[c],
                  data + (c * area + offset) * bytes_of(target.type));
      }
      return;
    case Layout::kPatches:
      put_patches(kernels, target, y, row, scratch);
      return;
  }
}

}  // namespace edgeval::pixels
