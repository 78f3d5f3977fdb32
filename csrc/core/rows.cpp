#include "core/rows.hpp"

#include <algorithm>
#include <array>

#include "core/scaler.hpp"

namespace edgeval::pixels {
namespace {

/// 8-bit 4:2:0 and 4:2:2 whose chroma is repeated, and 4:4:4.
class PlainRows final : public Rows {
 public:
  PlainRows(const YuvView& picture, const Kernels& kernels)
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
  YuvView picture_;
  const Kernels& kernels_;
  ColorFactors factors_;
  int y_ = 0;
};

/// In a halved axis, the first chroma sample's place in a step of its own.
int own_place(int in_luma_steps) { return (in_luma_steps + 128) >> 1; }

constexpr int kMiddle = 128;

/// What mixes_chroma() says of a picture: chroma rows are made 15 bits wide, stretched
/// sideways where the width is odd or they do not lie in the middle, kept while they
/// are needed and mixed two by two.
class ScaledRows final : public Rows {
 public:
  ScaledRows(const YuvView& picture, const Kernels& kernels)
      : picture_(picture),
        kernels_(kernels),
        factors_(color_factors(picture.matrix, picture.full_range)),
        places_(place_color(picture.matrix, picture.full_range)),
        chroma_width_((picture.width + 1) / 2),
        odd_(picture.width % 2 != 0),
        across_(make_stretch(chroma_width_, odd_ ? picture.width : chroma_width_,
                             own_place(picture.chroma_x), kMiddle, 1 << 14, 4)),
        down_(stretch_down(picture)),
        middle_(across_.identity()),
        quarter_(!odd_ && is_quarter(across_)) {
    for (Kept& kept : kept_) {
      for (auto& plane : kept.plane) plane.resize(padded(picture.width));
    }
  }

  void next(Row out) override {
    const auto y = static_cast<std::size_t>(y_);
    const Kept& first = keep(down_.first[y], down_.second[y]);
    const Kept& second = keep(down_.second[y], down_.first[y]);
    const ChromaRows chroma = {{first.plane[0].data(), second.plane[0].data()},
                               {first.plane[1].data(), second.plane[1].data()},
                               down_.weight[y]};
    if (odd_) {
      full_mixed_row(factors_, picture_, y_, chroma,
                     {out.plane[0], out.plane[1], out.plane[2]});
    } else {
      kernels_.mixed_row(places_, picture_.plane[0] + y_ * picture_.stride[0],
                         picture_.bit_depth, chroma, picture_.width, out);
    }
    ++y_;
  }

 private:
  struct Kept {
    int row = -1;
    std::array<AlignedVector<std::int16_t>, 2> plane;
  };

  static Stretch stretch_down(const YuvView& picture) {
    const bool halved = picture.chroma == Chroma::k420;
    const int rows = halved ? (picture.height + 1) / 2 : picture.height;
    return make_stretch(rows, picture.height,
                        halved ? own_place(picture.chroma_y) : kMiddle, kMiddle,
                        1 << 12, 2);
  }

  /// Every sample three parts itself and one part the next.
  static bool is_quarter(const Stretch& stretch) {
    const std::size_t last = stretch.first.size() - 1;
    for (std::size_t i = 0; i < last; ++i) {
      if (stretch.first[i] != static_cast<int>(i) ||
          stretch.weight[i] != stretch.one / 4) {
        return false;
      }
    }
    return stretch.second[last] == static_cast<int>(last);
  }

  /// A chroma row, made if it is not there; `other` stays.
  const Kept& keep(int row, int other) {
    for (const Kept& kept : kept_) {
      if (kept.row == row) return kept;
    }
    Kept& kept = kept_[0].row == other ? kept_[1] : kept_[0];
    kept.row = row;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::uint8_t* from = picture_.plane[i + 1] + row * picture_.stride[i + 1];
      if (middle_ || quarter_) {
        kernels_.widen(from, picture_.bit_depth, chroma_width_, quarter_,
                       kept.plane[i].data());
      } else {
        stretch_row(across_, from, picture_.bit_depth, kept.plane[i].data());
      }
    }
    return kept;
  }

  YuvView picture_;
  const Kernels& kernels_;
  ColorFactors factors_;
  PlaceColor places_;
  int chroma_width_;
  bool odd_;
  Stretch across_;
  Stretch down_;
  bool middle_;
  bool quarter_;
  std::array<Kept, 2> kept_;
  int y_ = 0;
};

std::unique_ptr<Rows> progressive(const YuvView& picture, const Kernels& kernels) {
  if (mixes_chroma(picture.chroma, picture.bit_depth, picture.height, false)) {
    return std::make_unique<ScaledRows>(picture, kernels);
  }
  return std::make_unique<PlainRows>(picture, kernels);
}

/// Two pictures, row by row in turn.
class FieldRows final : public Rows {
 public:
  FieldRows(const YuvView& picture, const Kernels& kernels) {
    for (int i = 0; i < 2; ++i) {
      YuvView field = picture;
      for (std::size_t c = 0; c < 3; ++c) {
        field.plane[c] += i * picture.stride[c];
        field.stride[c] *= 2;
      }
      field.height /= 2;
      field.interlaced = false;
      // Steps are rows of the field; the odd rows' chroma lies a row of luma above it
      // all. Source: FFmpeg@n8.1 libswscale/graph.c, get_chroma_pos.
      field.chroma_y = (picture.chroma_y + 256 * i) / 2;
      fields_[static_cast<std::size_t>(i)] = progressive(field, kernels);
    }
  }

  void next(Row out) override {
    fields_[odd_ ? 1 : 0]->next(out);
    odd_ = !odd_;
  }

 private:
  std::array<std::unique_ptr<Rows>, 2> fields_;
  bool odd_ = false;
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

}  // namespace

std::size_t padded(int width) {
  return (static_cast<std::size_t>(width) + kSlack + 63) / 64 * 64;
}

std::unique_ptr<Rows> yuv_rows(const YuvView& picture, const Kernels& kernels) {
  if (picture.interlaced) return std::make_unique<FieldRows>(picture, kernels);
  return progressive(picture, kernels);
}

std::unique_ptr<Rows> rgb_rows(const RgbView& picture, const Kernels& kernels) {
  return std::make_unique<RgbRows>(picture, kernels);
}

}  // namespace edgeval::pixels
