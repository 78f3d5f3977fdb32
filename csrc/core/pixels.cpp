#include "core/pixels.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace edgeval::pixels {
namespace {

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
  if (!takes(picture.chroma, picture.bit_depth, picture.width, picture.height,
             picture.interlaced)) {
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
  run(*yuv_rows(picture, chosen), steps, target, chosen);
  return chosen.path;
}

Path see(const RgbView& picture, const Steps& steps, const Target& target, Path path) {
  const Kernels& chosen = kernels(path);
  check_chain(picture.height, picture.width, steps, target, chosen.path);
  run(*rgb_rows(picture, chosen), steps, target, chosen);
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
