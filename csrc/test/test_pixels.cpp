#include "test/test_pixels.hpp"

#include <cmath>
#include <cstring>

namespace {

using namespace edgeval::pixels;  // NOLINT(google-build-using-namespace)
using edgeval::test::Bytes;
using edgeval::test::Random;
using edgeval::test::rgb_target;
using edgeval::test::run;
using edgeval::test::vector_paths;
using edgeval::test::Yuv;

void best_path_is_the_widest_there_is() {
  const std::vector<Path> found = vector_paths();
  const Path best = kernels(Path::kAuto).path;
  CHECK(found.empty() ? best == Path::kScalar : best != Path::kScalar);
#if defined(__aarch64__)
  CHECK(best == Path::kNeon);
  CHECK(!has(Path::kAvx2));
#else
  CHECK(!has(Path::kNeon));
  CHECK(!has(Path::kAvx512) || best == Path::kAvx512);
#endif
  CHECK(has(Path::kScalar));
  if (!has(Path::kNeon)) CHECK_REFUSES(kernels(Path::kNeon), "neon");
}

void colour_is_the_same_on_every_path() {
  Random random;
  for (int i = 0; i < 60; ++i) {
    const int width = random.in(1, 200);
    const int height = 2 * random.in(1, 4);
    const Yuv yuv(random, width, height, i % 2 == 0 ? Chroma::k420 : Chroma::k422);
    const Target target = rgb_target(height, width);
    const Bytes expected = run(yuv.view, {}, target, Path::kScalar);
    for (const Path path : vector_paths()) {
      CHECK(run(yuv.view, {}, target, path) == expected);
    }
  }
}

/// Every colour there is, against the formula in whole numbers.
void colour_follows_its_formula() {
  for (const bool full : {false, true}) {
    const ColorFactors f = color_factors(Matrix::kBt709, full);
    Bytes y(256), cb(128), cr(128);
    constexpr std::size_t kPitch = 256 + kSlack;
    Bytes out(3 * kPitch);
    const Row row = {{out.data(), out.data() + kPitch, out.data() + 2 * kPitch}};
    for (int i = 0; i < 256; ++i) y[i] = static_cast<std::uint8_t>(i);
    int wrong = 0;
    for (int u = 0; u < 256; u += 5) {
      for (int v = 0; v < 256; v += 3) {
        std::fill(cb.begin(), cb.end(), static_cast<std::uint8_t>(u));
        std::fill(cr.begin(), cr.end(), static_cast<std::uint8_t>(v));
        kernels(Path::kAuto).yuv_row(f, y.data(), cb.data(), cr.data(), 256, row);
        for (int i = 0; i < 256; ++i) {
          const int luma = ((8 * i - f.y_offset) * f.y) >> 16;
          const int red = luma + (((8 * v - 1024) * f.v_to_r) >> 16);
          wrong += row.plane[0][i] != std::min(std::max(red, 0), 255) ? 1 : 0;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

/// Grey is luma alone, and white and black are reached, whatever the depth.
void full_chroma_grey_is_grey() {
  for (const int depth : {8, 10}) {
    constexpr int kWidth = 256;
    const std::size_t size = depth == 8 ? 1 : 2;
    std::array<Bytes, 3> planes;
    for (Bytes& plane : planes) plane.resize(kWidth * size);
    for (int i = 0; i < kWidth; ++i) {
      const std::array<int, 3> sample = {i << (depth - 8), 128 << (depth - 8),
                                         128 << (depth - 8)};
      for (std::size_t c = 0; c < 3; ++c) {
        const auto word = static_cast<std::uint16_t>(sample[c]);
        std::memcpy(&planes[c][static_cast<std::size_t>(i) * size], &word, size);
      }
    }
    YuvView view{};
    view.plane = {planes[0].data(), planes[1].data(), planes[2].data()};
    view.stride.fill(static_cast<std::ptrdiff_t>(kWidth * size));
    view.width = kWidth;
    view.height = 1;
    view.chroma = Chroma::k444;
    view.bit_depth = depth;
    view.full_range = true;
    const Bytes rgb = run(view, {}, rgb_target(1, kWidth), Path::kAuto);
    int wrong = 0;
    for (std::size_t i = 0; i < rgb.size(); ++i) wrong += rgb[i] != i / 3 ? 1 : 0;
    CHECK(wrong == 0);
  }
}

void layouts_are_the_same_on_every_path() {
  Random random;
  for (int i = 0; i < 40; ++i) {
    const int grid = i % 2 == 0 ? 14 : 16;
    const int height = 2 * grid * random.in(1, 3);
    const int width = 2 * grid * random.in(1, 4);
    const Yuv yuv(random, width, height, Chroma::k422);
    Target target = rgb_target(height, width);
    target.layout = i % 4 < 2 ? Layout::kChw : Layout::kPatches;
    target.type = i % 8 < 4 ? Type::kF32 : Type::kF16;
    target.mean = {0.48145466F, 0.4578275F, 0.40821073F};
    target.std = {0.26862954F, 0.26130258F, 0.27577711F};
    target.grid = {grid, 2, 2};
    target.slot = i % 2;
    const Bytes expected = run(yuv.view, {}, target, Path::kScalar);
    for (const Path path : vector_paths()) {
      CHECK(run(yuv.view, {}, target, path) == expected);
    }
  }
}

void patches_lie_where_the_view_says() {
  constexpr int kSize = 2, kMerge = 2, kFrames = 2, kHeight = 8, kWidth = 12;
  constexpr std::size_t kPitch = std::size_t{kWidth} * 3;
  Bytes image(kHeight * kPitch);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<std::uint8_t>(i % 251);
  }
  Target target = rgb_target(kHeight, kWidth);
  target.layout = Layout::kPatches;
  target.type = Type::kF32;
  target.mean = {0.0F, 0.0F, 0.0F};
  target.std = {1.0F / 255.0F, 1.0F / 255.0F, 1.0F / 255.0F};
  target.grid = {kSize, kMerge, kFrames};
  std::vector<float> out(static_cast<std::size_t>(count(target)), -1.0F);
  target.data = out.data();
  target.slot = 1;
  see(RgbView{image.data(), kPitch, kWidth, kHeight}, {}, target, Path::kAuto);
  int wrong = 0;
  std::size_t at = 0;
  for (int block = 0; block < 6; ++block) {
    for (int inside = 0; inside < 4; ++inside) {
      const int gy = block / 3 * kMerge + inside / kMerge;
      const int gx = block % 3 * kMerge + inside % kMerge;
      for (int c = 0; c < 3; ++c) {
        for (int frame = 0; frame < kFrames; ++frame) {
          for (int p = 0; p < kSize * kSize; ++p, ++at) {
            const int y = gy * kSize + p / kSize;
            const int x = gx * kSize + p % kSize;
            const float value = image[(y * kWidth + x) * 3 + c];
            wrong += std::abs(out[at] - (frame == 1 ? value : -1.0F)) > 1e-3F ? 1 : 0;
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
}

void senseless_arguments_are_refused() {
  CHECK_REFUSES(make_axis(0, 4, Filter::kBicubic, Mode::kExact), "input side");
  CHECK_REFUSES(make_axis(4, 0, Filter::kBicubic, Mode::kExact), "output side");
  CHECK_REFUSES(make_axis(4, 70000, Filter::kBicubic, Mode::kExact), "65535");
  CHECK_REFUSES(make_axis(60000, 2, Filter::kBicubic, Mode::kExact), "ratio");
  Random random;
  Yuv deep(random, 8, 3, Chroma::k420, 10);
  deep.view.bit_depth = 12;
  Bytes out(72);
  CHECK_REFUSES(to_rgb(deep.view, Path::kAuto, out.data()), "takes()");
  const Yuv even(random, 8, 4, Chroma::k420);
  const Resize other(6, 8, 4, 4, Filter::kBicubic, Mode::kExact, Path::kAuto);
  CHECK_REFUSES(see(even.view, {&other, nullptr}, rgb_target(4, 4), Path::kAuto),
                "plan it anew");
  CHECK_REFUSES(see(even.view, {}, rgb_target(4, 4), Path::kAuto), "output of 4 x 4");
  Target target = rgb_target(4, 8);
  target.layout = Layout::kChw;
  CHECK_REFUSES(check(target), "element type");
  target.type = Type::kF32;
  CHECK_REFUSES(check(target), "std > 0");
  target.std = {1.0F, 1.0F, 1.0F};
  target.layout = Layout::kPatches;
  CHECK_REFUSES(check(target), "multiples of 28");
}

}  // namespace

int main() {
  best_path_is_the_widest_there_is();
  colour_is_the_same_on_every_path();
  colour_follows_its_formula();
  full_chroma_grey_is_grey();
  layouts_are_the_same_on_every_path();
  patches_lie_where_the_view_says();
  senseless_arguments_are_refused();
  return edgeval::test::report();
}
