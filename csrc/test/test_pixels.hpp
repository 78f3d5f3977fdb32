#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "core/pixels.hpp"
#include "test/check.hpp"

/// Pictures, and one run of the pixel path, for the tests of csrc/core/pixels.
namespace edgeval::test {

using namespace edgeval::pixels;  // NOLINT(google-build-using-namespace)

using Bytes = std::vector<std::uint8_t>;

class Random {
 public:
  int in(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine_);
  }

  /// Noise; every other time only black and white, which drives sums to the clamps.
  Bytes bytes(std::size_t n) {
    Bytes out(n);
    const bool extreme = in(0, 1) == 1;
    for (std::uint8_t& byte : out) {
      byte = static_cast<std::uint8_t>(extreme ? 255 * in(0, 1) : in(0, 255));
    }
    return out;
  }

 private:
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same pictures on every run
  std::mt19937 engine_{20261120};
};

/// A picture that owns its planes; buffers end with the last sample, so that sanitizers
/// see every read past it.
struct Yuv {
  Yuv(Random& random, int width, int height, Chroma chroma, int bit_depth = 8) {
    const std::ptrdiff_t bytes = bit_depth > 8 ? 2 : 1;
    const int chroma_width = (width + 1) / 2;
    const int chroma_height = chroma == Chroma::k420 ? (height + 1) / 2 : height;
    const auto size = [bytes](int w, int h) {
      return static_cast<std::size_t>(bytes) * w * h;
    };
    planes[0] = random.bytes(size(width, height));
    planes[1] = random.bytes(size(chroma_width, chroma_height));
    planes[2] = random.bytes(planes[1].size());
    for (Bytes& plane : planes) {
      for (std::size_t i = 1; bytes == 2 && i < plane.size(); i += 2) {
        plane[i] &= static_cast<std::uint8_t>((1 << (bit_depth - 8)) - 1);
      }
    }
    view.plane = {planes[0].data(), planes[1].data(), planes[2].data()};
    view.stride = {bytes * width, bytes * chroma_width, bytes * chroma_width};
    view.width = width;
    view.height = height;
    view.chroma = chroma;
    view.bit_depth = bit_depth;
    view.matrix = static_cast<Matrix>(random.in(0, 2));
    view.full_range = random.in(0, 1) == 1;
  }
  std::array<Bytes, 3> planes;
  YuvView view{};
};

inline std::vector<Path> vector_paths() {
  std::vector<Path> found;
  for (const Path path : {Path::kAvx2, Path::kAvx512, Path::kNeon}) {
    if (has(path)) found.push_back(path);
  }
  return found;
}

inline Bytes run(const YuvView& picture, const std::vector<Resize>& steps,
                 Target target, Path path) {
  std::size_t size = 4;
  if (target.type == Type::kU8) size = 1;
  if (target.type == Type::kF16) size = 2;
  Bytes out(static_cast<std::size_t>(count(target)) * size);
  target.data = out.data();
  Steps raw{};
  for (std::size_t i = 0; i < steps.size(); ++i) raw[i] = &steps[i];
  CHECK(see(picture, raw, target, path) == kernels(path).path);
  return out;
}

inline Target rgb_target(int height, int width) {
  Target target;
  target.height = height;
  target.width = width;
  return target;
}

}  // namespace edgeval::test
