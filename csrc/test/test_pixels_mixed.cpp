#include <algorithm>

#include "core/scaler.hpp"
#include "test/test_pixels.hpp"

/// Pictures that FFmpeg's scaler makes: chroma mixed by where it lies.
namespace {

using namespace edgeval::pixels;  // NOLINT(google-build-using-namespace)
using edgeval::test::Bytes;
using edgeval::test::Random;
using edgeval::test::rgb_target;
using edgeval::test::run;
using edgeval::test::vector_paths;
using edgeval::test::Yuv;

Bytes rgb_of(const YuvView& view, Path path) {
  return run(view, {}, rgb_target(view.height, view.width), path);
}

void every_path_gives_the_same() {
  Random random;
  int taken = 0;
  for (int i = 0; i < 300; ++i) {
    const int depth = i % 2 == 0 ? 10 : 8;
    Yuv yuv(random, random.in(1, 150), random.in(1, 12),
            i % 4 < 2 ? Chroma::k420 : Chroma::k422, depth);
    yuv.view.chroma_x = 128 * random.in(0, 1);
    yuv.view.chroma_y = 128 * random.in(0, 2);
    yuv.view.interlaced = random.in(0, 1) == 1;
    const YuvView& view = yuv.view;
    if (!takes(view.chroma, depth, view.width, view.height, view.interlaced)) continue;
    ++taken;
    const Bytes expected = rgb_of(view, Path::kScalar);
    for (const Path path : vector_paths()) CHECK(rgb_of(view, path) == expected);
  }
  CHECK(taken > 150);
}

void fields_are_pictures_of_their_own() {
  Random random;
  constexpr int kWidth = 46;
  constexpr int kHeight = 8;
  Yuv yuv(random, kWidth, kHeight, Chroma::k422, 10);
  yuv.view.chroma_x = 0;
  YuvView whole = yuv.view;
  whole.interlaced = true;
  const Bytes rgb = rgb_of(whole, Path::kAuto);
  constexpr std::ptrdiff_t kRow = std::ptrdiff_t{kWidth} * 3;
  for (int i = 0; i < 2; ++i) {
    YuvView field = yuv.view;
    field.height = kHeight / 2;
    for (std::size_t c = 0; c < 3; ++c) {
      field.plane[c] += i * yuv.view.stride[c];
      field.stride[c] *= 2;
    }
    const Bytes expected = rgb_of(field, Path::kAuto);
    for (std::ptrdiff_t y = 0; y < kHeight / 2; ++y) {
      const auto want = expected.begin() + y * kRow;
      CHECK(std::equal(want, want + kRow, rgb.begin() + (2 * y + i) * kRow));
    }
  }
}

/// Even chroma has nothing to mix: where it lies makes no difference, elsewhere it
/// does.
void the_site_moves_only_uneven_chroma() {
  Random random;
  for (const bool even : {true, false}) {
    Yuv yuv(random, 40, 12, Chroma::k420, 10);
    for (std::size_t c = 1; even && c < 3; ++c) {
      Bytes& plane = yuv.planes[c];
      for (std::size_t i = 2; i < plane.size(); ++i) plane[i] = plane[i % 2];
    }
    const Bytes middle = rgb_of(yuv.view, Path::kAuto);
    for (const auto& [x, y] : {std::pair{0, 128}, {0, 0}, {128, 0}, {128, 256}}) {
      yuv.view.chroma_x = x;
      yuv.view.chroma_y = y;
      CHECK((rgb_of(yuv.view, Path::kAuto) == middle) == even);
    }
  }
}

void stretches_weigh_by_distance() {
  const Stretch same = make_stretch(9, 9, 128, 128, 1 << 14, 4);
  CHECK(same.identity());
  const Stretch left = make_stretch(9, 9, 64, 128, 1 << 14, 4);
  CHECK(!left.identity());
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(left.first[i] == static_cast<int>(i));
    CHECK(left.second[i] == static_cast<int>(i) + 1);
    CHECK(left.weight[i] == (1 << 14) / 4);
  }
  CHECK(left.second[8] == 8);
  const Stretch rows = make_stretch(6, 12, 128, 128, 1 << 12, 2);
  CHECK(rows.first[0] == 0 && rows.weight[0] == 0);
  for (std::size_t i = 1; i < 11; ++i) {
    CHECK(rows.first[i] == (static_cast<int>(i) - 1) / 2);
    CHECK(rows.weight[i] == (i % 2 == 1 ? 1024 : 3072));
  }
}

void what_is_taken_and_what_mixes() {
  CHECK(takes(Chroma::k420, 10, 33, 17, false));
  CHECK(takes(Chroma::k420, 8, 33, 16, true));
  CHECK(!takes(Chroma::k420, 8, 33, 18, true));
  CHECK(takes(Chroma::k422, 8, 33, 18, true));
  CHECK(!takes(Chroma::k422, 8, 33, 17, true));
  CHECK(!takes(Chroma::k420, 12, 32, 16, false));
  CHECK(mixes_chroma(Chroma::k420, 10, 16, false));
  CHECK(mixes_chroma(Chroma::k420, 8, 17, false));
  CHECK(mixes_chroma(Chroma::k422, 8, 18, true));
  CHECK(!mixes_chroma(Chroma::k420, 8, 18, false));
  CHECK(!mixes_chroma(Chroma::k444, 10, 17, false));
}

}  // namespace

int main() {
  every_path_gives_the_same();
  fields_are_pictures_of_their_own();
  the_site_moves_only_uneven_chroma();
  stretches_weigh_by_distance();
  what_is_taken_and_what_mixes();
  return edgeval::test::report();
}
