#include "core/pixels.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace edgeval::pixels {
namespace {

std::size_t padded(int width) {
  return (static_cast<std::size_t>(width) + kSlack + 63) / 64 * 64;
}

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

class YuvRows final : public Rows {
 public:
  YuvRows(const YuvView& picture, const Kernels& kernels)
      : picture_(picture),
        kernels_(kernels),
        factors_(color_factors(picture.matrix, picture.full_range)) {}

  void next(Row out) override {
    if (picture_.chroma == Chroma::k444) {
      full_chroma_row(factors_, picture_, y_++,
                      {out.plane[0], out.plane[1], out.plane[2]});
      return;
    }
    const int chroma_y = picture_.chroma == Chroma::k420 ? y_ / 2 : y_;
    kernels_.yuv_row(factors_, picture_.plane[0] + y_ * picture_.stride[0],
                     picture_.plane[1] + chroma_y * picture_.stride[1],
                     picture_.plane[2] + chroma_y * picture_.stride[2], picture_.width,
                     out);
    ++y_;
  }

 private:
  const YuvView& picture_;
  const Kernels& kernels_;
  ColorFactors factors_;
  int y_ = 0;
};

class RgbRows final : public Rows {
 public:
  RgbRows(const RgbView& picture, const Kernels& kernels)
      : picture_(picture), kernels_(kernels) {}

  void next(Row out) override {
    kernels_.split(picture_.data + y_++ * picture_.stride, picture_.width, out);
  }

 private:
  const RgbView& picture_;
  const Kernels& kernels_;
  int y_ = 0;
};

/// Horizontal, then vertical, u8 in between: the arithmetic of ATen and PIL.
class ResizedRows final : public Rows {
 public:
  ResizedRows(Rows& above, const Resize& resize, const Kernels& kernels)
      : above_(above),
        horizontal_(resize.horizontal()),
        vertical_(resize.vertical()),
        pack_(resize.pack()),
        kernels_(kernels),
        ring_size_(std::max(vertical_.taps, 1)),
        source_(1, horizontal_.n_in),
        ring_(ring_size_, horizontal_.n_out),
        rows_(vertical_.taps + 1) {}

  void next(Row out) override {
    const int y = y_++;
    if (vertical_.identity()) {
      squeeze(out);
      return;
    }
    const int first = vertical_.first[y];
    const int taps = vertical_.count[y];
    const int even_taps = taps + taps % 2;
    for (; done_ < first + taps; ++done_) squeeze(ring_.at(done_ % ring_size_));
    const Window window = vertical_.window(y);
    for (int c = 0; c < 3; ++c) {
      for (int k = 0; k < even_taps; ++k) {
        rows_[k] = ring_.at((first + k) % ring_size_).plane[c];
      }
      kernels_.vertical(rows_.data(), window, horizontal_.n_out, out.plane[c]);
    }
  }

 private:
  /// The next row of the picture above, at the new width.
  void squeeze(Row out) {
    if (horizontal_.identity()) {
      above_.next(out);
      return;
    }
    const Row source = source_.at(0);
    above_.next(source);
    kernels_.horizontal(pack_, source, out);
  }

  Rows& above_;
  const Axis& horizontal_;
  const Axis& vertical_;
  const HorizontalPack& pack_;
  const Kernels& kernels_;
  int ring_size_;
  RowBuffer source_;
  RowBuffer ring_;
  std::vector<const std::uint8_t*> rows_;
  int y_ = 0;
  int done_ = 0;
};

std::string sides(int height, int width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

/// Every step starts where the one before it ends, the target is where the last one
/// does.
void check_chain(int height, int width, const Steps& steps, const Target& target,
                 Path path) {
  for (const Resize* step : steps) {
    if (step == nullptr) continue;
    if (step->vertical().n_in != height || step->horizontal().n_in != width) {
      throw ArgumentError("see: got a picture of " + sides(height, width) +
                          " pixels for a resize planned from " +
                          sides(step->vertical().n_in, step->horizontal().n_in) +
                          "; plan it anew");
    }
    if (step->path() != path) {
      throw ArgumentError("see: got a resize planned for another kernel; plan it anew");
    }
    height = step->vertical().n_out;
    width = step->horizontal().n_out;
  }
  if (target.height != height || target.width != width) {
    throw ArgumentError("see: got an output of " + sides(target.height, target.width) +
                        " for a picture of " + sides(height, width) + " pixels");
  }
  check(target);
}

void run(Rows& picture, const Steps& steps, const Target& target,
         const Kernels& kernels) {
  Rows* last = &picture;
  std::array<std::unique_ptr<Rows>, 2> stages;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] == nullptr) continue;
    stages[i] = std::make_unique<ResizedRows>(*last, *steps[i], kernels);
    last = stages[i].get();
  }
  RowBuffer line(1, target.width);
  std::vector<float> scratch(target.layout == Layout::kPatches ? padded(target.width)
                                                               : 0);
  for (int y = 0; y < target.height; ++y) {
    last->next(line.at(0));
    put_row(kernels, target, y, line.at(0), scratch.data());
  }
}

void check_yuv(const YuvView& picture) {
  if (!takes(picture.chroma, picture.bit_depth, picture.width, picture.height)) {
    throw ArgumentError("pixels: got a picture of " +
                        sides(picture.height, picture.width) + " pixels and " +
                        std::to_string(picture.bit_depth) +
                        " bits that the kernel does not take; ask takes() first");
  }
}

}  // namespace

Path see(const YuvView& picture, const Steps& steps, const Target& target, Path path) {
  const Kernels& chosen = kernels(path);
  check_yuv(picture);
  check_chain(picture.height, picture.width, steps, target, chosen.path);
  YuvRows rows(picture, chosen);
  run(rows, steps, target, chosen);
  return chosen.path;
}

Path see(const RgbView& picture, const Steps& steps, const Target& target, Path path) {
  const Kernels& chosen = kernels(path);
  check_chain(picture.height, picture.width, steps, target, chosen.path);
  RgbRows rows(picture, chosen);
  run(rows, steps, target, chosen);
  return chosen.path;
}

Path to_rgb(const YuvView& picture, Path path, std::uint8_t* out) {
  Target target;
  target.data = out;
  target.height = picture.height;
  target.width = picture.width;
  return see(picture, {}, target, path);
}

}  // namespace edgeval::pixels
