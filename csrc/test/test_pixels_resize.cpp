#include <cstdlib>

#include "test/test_pixels.hpp"

namespace {

using namespace edgeval::pixels;  // NOLINT(google-build-using-namespace)
using edgeval::test::Bytes;
using edgeval::test::Random;
using edgeval::test::rgb_target;
using edgeval::test::run;
using edgeval::test::Yuv;

void resize_is_the_same_on_every_path() {
  Random random;
  for (int i = 0; i < 240; ++i) {
    const int most = std::array<int, 3>{24, 150, 600}[i / 6 % 3];
    const int width = random.in(1, most);
    const int height = random.in(1, most / 8 + 1) * 2;
    const int to_width = random.in(1, most);
    const int to_height = random.in(1, most / 4 + 1);
    const Yuv yuv(random, width, height, Chroma::k420);
    const auto filter = static_cast<Filter>(i % 3);
    const Mode mode = i % 2 == 0 ? Mode::kExact : Mode::kFast;
    const Target target = rgb_target(to_height, to_width);
    Bytes expected;
    for (const Path path : {Path::kScalar, Path::kAvx2, Path::kAvx512, Path::kNeon}) {
      if (!has(path)) continue;
      std::vector<Resize> steps;
      steps.emplace_back(height, width, to_height, to_width, filter, mode, path);
      const Bytes got = run(yuv.view, steps, target, path);
      if (path == Path::kScalar) expected = got;
      CHECK(got == expected);
    }
  }
}

void weights_sum_to_one_and_lie_inside() {
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic, Filter::kLanczos}) {
    for (const auto& sides :
         {std::array<int, 2>{720, 364}, {7, 300}, {300, 7}, {1, 9}}) {
      const Axis axis = make_axis(sides[0], sides[1], filter, Mode::kExact);
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

/// What the 16-bit sums of the fast kernels rely on, from 120 to 120 times as small to
/// twice as large.
void coarse_weights_make_one_and_fit() {
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic, Filter::kLanczos}) {
    int wrong = 0;
    for (int n_out = 1; n_out < 240; n_out += 3) {
      const Axis axis = make_axis(120, n_out, filter, Mode::kFast);
      for (int i = 0; i < axis.n_out; ++i) {
        int total = 0;
        int above = 0;
        for (int k = 0; k < axis.taps; ++k) {
          const int weight = axis.weight[static_cast<std::size_t>(i) * axis.taps + k];
          total += weight;
          above += std::max(weight, 0);
        }
        wrong += total != 1 << axis.precision ? 1 : 0;
        wrong += above * 255 + 64 - kBias > 32767 ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
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
  Bytes apart(3072);
  Target target = rgb_target(32, 32);
  target.data = apart.data();
  see(RgbView{middle.data(), 150, 50, 34}, {&both[1], nullptr}, target, Path::kAuto);
  CHECK(fused == apart);
}

}  // namespace

int main() {
  resize_is_the_same_on_every_path();
  weights_sum_to_one_and_lie_inside();
  coarse_weights_make_one_and_fit();
  two_steps_are_one_after_the_other();
  return edgeval::test::report();
}
