#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core/pixels.hpp"
#include "test/check.hpp"

namespace {

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
  std::mt19937 engine_{20261120};
};

/// A picture that owns its planes; buffers end with the last sample, so that sanitizers
/// see every read past it.
struct Yuv {
  Yuv(Random& random, int width, int height, Chroma chroma) {
    const int chroma_width = (width + 1) / 2;
    const int chroma_height = chroma == Chroma::k420 ? (height + 1) / 2 : height;
    planes[0] = random.bytes(static_cast<std::size_t>(width) * height);
    planes[1] = random.bytes(static_cast<std::size_t>(chroma_width) * chroma_height);
    planes[2] = random.bytes(planes[1].size());
    view.plane = {planes[0].data(), planes[1].data(), planes[2].data()};
    view.stride = {width, chroma_width, chroma_width};
    view.width = width;
    view.height = height;
    view.chroma = chroma;
    view.bit_depth = 8;
    view.matrix = static_cast<Matrix>(random.in(0, 2));
    view.full_range = random.in(0, 1) == 1;
  }
  std::array<Bytes, 3> planes;
  YuvView view{};
};

std::vector<Path> vector_paths() {
  std::vector<Path> found;
  for (const Path path : {Path::kAvx2, Path::kAvx512, Path::kNeon}) {
    if (has(path)) found.push_back(path);
  }
  return found;
}

Bytes run(const YuvView& picture, const std::vector<Resize>& steps, Target target,
          Path path) {
  const std::size_t size = target.type == Type::kU8    ? 1
                           : target.type == Type::kF16 ? 2
                                                       : 4;
  Bytes out(static_cast<std::size_t>(count(target)) * size);
  target.data = out.data();
  Steps raw{};
  for (std::size_t i = 0; i < steps.size(); ++i) raw[i] = &steps[i];
  CHECK(see(picture, raw, target, path) == kernels(path).path);
  return out;
}

Target rgb_target(int height, int width) {
  Target target;
  target.height = height;
  target.width = width;
  return target;
}

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
    Bytes out(3 * (256 + kSlack));
    const Row row = {
        {out.data(), out.data() + 256 + kSlack, out.data() + 2 * (256 + kSlack)}};
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

void resize_is_the_same_on_every_path() {
  Random random;
  for (int i = 0; i < 120; ++i) {
    const int most = i % 3 == 0 ? 24 : i % 3 == 1 ? 150 : 600;
    const int width = random.in(1, most);
    const int height = random.in(1, most / 8 + 1) * 2;
    const int to_width = random.in(1, most);
    const int to_height = random.in(1, most / 4 + 1);
    const Yuv yuv(random, width, height, Chroma::k420);
    const auto filter = static_cast<Filter>(i % 3);
    const Target target = rgb_target(to_height, to_width);
    Bytes expected;
    for (const Path path : {Path::kScalar, Path::kAvx2, Path::kAvx512, Path::kNeon}) {
      if (!has(path)) continue;
      std::vector<Resize> steps;
      steps.emplace_back(height, width, to_height, to_width, filter, Mode::kExact,
                         path);
      const Bytes got = run(yuv.view, steps, target, path);
      if (path == Path::kScalar) expected = got;
      CHECK(got == expected);
    }
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
  Bytes image(kHeight * kWidth * 3);
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<std::uint8_t>(i % 251);
  Target target = rgb_target(kHeight, kWidth);
  target.layout = Layout::kPatches;
  target.type = Type::kF32;
  target.mean = {0.0F, 0.0F, 0.0F};
  target.std = {1.0F / 255.0F, 1.0F / 255.0F, 1.0F / 255.0F};
  target.grid = {kSize, kMerge, kFrames};
  std::vector<float> out(static_cast<std::size_t>(count(target)), -1.0F);
  target.data = out.data();
  target.slot = 1;
  see(RgbView{image.data(), kWidth * 3, kWidth, kHeight}, {}, target, Path::kAuto);
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

void weights_sum_to_one_and_lie_inside() {
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic, Filter::kLanczos}) {
    for (const auto& sides :
         {std::array<int, 2>{720, 364}, {7, 300}, {300, 7}, {1, 9}}) {
      const Axis axis = make_axis(sides[0], sides[1], filter);
      const int one = 1 << axis.precision;
      for (int i = 0; i < axis.n_out; ++i) {
        int total = 0;
        for (int k = 0; k < axis.taps; ++k) total += axis.weight[i * axis.taps + k];
        CHECK(std::abs(total - one) <= axis.taps);
        CHECK(axis.first[i] >= 0 && axis.first[i] + axis.count[i] <= axis.n_in);
      }
    }
  }
}

void two_steps_are_one_after_the_other() {
  Random random;
  const Yuv yuv(random, 90, 60, Chroma::k420);
  std::vector<Resize> both;
  both.emplace_back(60, 90, 34, 50, Filter::kLanczos, Mode::kExact, Path::kAuto);
  both.emplace_back(34, 50, 32, 32, Filter::kLanczos, Mode::kExact, Path::kAuto);
  const Bytes fused = run(yuv.view, both, rgb_target(32, 32), Path::kAuto);

  const Bytes middle = run(yuv.view, {both[0]}, rgb_target(34, 50), Path::kAuto);
  Bytes apart(32 * 32 * 3);
  Target target = rgb_target(32, 32);
  target.data = apart.data();
  see(RgbView{middle.data(), 150, 50, 34}, {&both[1], nullptr}, target, Path::kAuto);
  CHECK(fused == apart);
}

void senseless_arguments_are_refused() {
  CHECK_REFUSES(make_axis(0, 4, Filter::kBicubic), "input side");
  CHECK_REFUSES(make_axis(4, 0, Filter::kBicubic), "output side");
  CHECK_REFUSES(make_axis(4, 70000, Filter::kBicubic), "65535");
  CHECK_REFUSES(make_axis(60000, 2, Filter::kBicubic), "ratio");
  Random random;
  const Yuv odd(random, 8, 3, Chroma::k420);
  Bytes out(8 * 3 * 3);
  CHECK_REFUSES(to_rgb(odd.view, Path::kAuto, out.data()), "takes()");
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
  resize_is_the_same_on_every_path();
  layouts_are_the_same_on_every_path();
  patches_lie_where_the_view_says();
  weights_sum_to_one_and_lie_inside();
  two_steps_are_one_after_the_other();
  senseless_arguments_are_refused();
  return edgeval::test::report();
}
