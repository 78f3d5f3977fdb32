#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/floatresize.hpp"
#include "test/check.hpp"

namespace {

using edgeval::Path;
using edgeval::floats::Taps;

/// Windows of random weights and lengths, some below 0 as a cubic's are.
struct Axis {
  Axis(std::mt19937& random, int n_in, int n_out) {
    const auto in = [&random](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    taps.most = std::min(n_in, 14);
    for (int i = 0; i < n_out; ++i) {
      const int n = in(1, taps.most);
      const int most_first = n_in - n;
      const auto before = i == 0 ? 0 : first.back();
      const auto wanted = static_cast<std::int64_t>(i) * n_in / n_out;
      // Windows never go back: one that would is made shorter.
      first.push_back(
          std::max<std::int64_t>(before, std::min<std::int64_t>(wanted, most_first)));
      count.push_back(std::min<std::int64_t>(n, n_in - first.back()));
      for (int k = 0; k < taps.most; ++k) {
        weight.push_back(static_cast<float>(in(-100, 300)) / 1000.0F);
      }
    }
    taps.first = first.data();
    taps.count = count.data();
    taps.weight = weight.data();
    taps.n_in = n_in;
    taps.n_out = n_out;
  }

  std::vector<std::int64_t> first, count;
  std::vector<float> weight;
  Taps taps{};
};

std::vector<std::uint8_t> noise(std::mt19937& random, std::size_t n) {
  std::uniform_int_distribution<int> any(0, 255);
  std::vector<std::uint8_t> out(n);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(any(random));
  return out;
}

void every_path_gives_the_same() {
  std::mt19937 random(20261120);  // NOLINT(bugprone-random-generator-seed)
  std::uniform_int_distribution<int> side(1, 60);
  int compared = 0;
  for (int i = 0; i < 80; ++i) {
    const Axis wide(random, side(random), side(random));
    const Axis high(random, side(random), side(random));
    const auto image =
        noise(random, std::size_t{3} * static_cast<std::size_t>(wide.taps.n_in) *
                          static_cast<std::size_t>(high.taps.n_in));
    std::vector<std::uint8_t> want(std::size_t{3} *
                                   static_cast<std::size_t>(wide.taps.n_out) *
                                   static_cast<std::size_t>(high.taps.n_out));
    std::vector<std::uint8_t> got(want.size());
    resize(image.data(), wide.taps, high.taps, Path::kScalar, want.data());
    const Path ran =
        resize(image.data(), wide.taps, high.taps, Path::kAuto, got.data());
    CHECK(got == want);
    compared += ran != Path::kScalar ? 1 : 0;
  }
#if defined(__aarch64__)
  CHECK(compared == 80);
#else
  CHECK(compared == 80 || edgeval::floats::avx2_kernels() == nullptr);
#endif
}

/// One column, one row: what comes out is the sum in torch's order, by hand.
void taps_are_added_in_their_order() {
  constexpr int kTaps = 7;
  const std::vector<std::int64_t> first = {0};
  const std::vector<std::int64_t> count = {kTaps};
  const std::vector<float> weight = {0.1F, 0.2F, 0.15F, 0.25F, 0.05F, 0.15F, 0.1F};
  const std::vector<std::int64_t> one = {1};
  const std::vector<float> whole = {1.0F};
  const Taps wide = {first.data(), count.data(), weight.data(), kTaps, 1, kTaps};
  const Taps high = {first.data(), one.data(), whole.data(), 1, 1, 1};
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed)
  const auto image = noise(random, std::size_t{3} * kTaps);
  std::vector<std::uint8_t> out(3);
  resize(image.data(), wide, high, Path::kAuto, out.data());
  for (std::size_t c = 0; c < 3; ++c) {
    float sum = static_cast<float>(image[c]) * weight[0];
    for (std::size_t k = 1; k < kTaps; ++k) {
      const auto value = static_cast<float>(image[3 * k + c]);
      sum = k < 5 ? sum + value * weight[k] : std::fma(value, weight[k], sum);
    }
    CHECK(out[c] == std::nearbyint(sum));
  }
}

void senseless_taps_are_refused() {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed)
  const Axis good(random, 5, 4);
  std::vector<std::uint8_t> image(75), out(48);
  for (const std::int64_t bad : {-1, 5}) {
    Axis wrong = good;
    wrong.first[3] = bad;
    wrong.taps.first = wrong.first.data();
    CHECK_REFUSES(resize(image.data(), good.taps, wrong.taps, Path::kAuto, out.data()),
                  "down");
  }
  Axis wrong = good;
  wrong.count[0] = 6;
  wrong.taps.count = wrong.count.data();
  CHECK_REFUSES(resize(image.data(), wrong.taps, good.taps, Path::kAuto, out.data()),
                "across");
}

}  // namespace

int main() {
  every_path_gives_the_same();
  taps_are_added_in_their_order();
  senseless_taps_are_refused();
  return edgeval::test::report();
}
