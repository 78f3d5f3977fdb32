#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/color.hpp"
#include "core/simd.hpp"

/// Decoded pictures as rows of three u8 planes, from top to bottom.
namespace edgeval::pixels {

/// Interleaved u8 RGB, rows `stride` bytes apart.
struct RgbView {
  const std::uint8_t* data;
  std::ptrdiff_t stride;
  int width;
  int height;
};

/// Elements of a row of `width`, with the slack that kernels may touch.
std::size_t padded(int width);

/// Rows of three planes in one block.
class RowBuffer {
 public:
  RowBuffer(int rows, int width)
      : pitch_(padded(width)), bytes_(static_cast<std::size_t>(rows) * 3 * pitch_) {}

  Row at(int row) {
    std::uint8_t* base = bytes_.data() + static_cast<std::size_t>(row) * 3 * pitch_;
    return {{base, base + pitch_, base + 2 * pitch_}};
  }

 private:
  std::size_t pitch_;
  AlignedVector<std::uint8_t> bytes_;
};

/// A picture that gives its rows from top to bottom, once.
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Rows(Rows&&) = delete;
  Rows& operator=(Rows&&) = delete;
  virtual ~Rows() = default;
  virtual void next(Row out) = 0;
};

/// The picture as RGB; it and the kernels must outlive the rows.
std::unique_ptr<Rows> yuv_rows(const YuvView& picture, const Kernels& kernels);
std::unique_ptr<Rows> rgb_rows(const RgbView& picture, const Kernels& kernels);

}  // namespace edgeval::pixels
