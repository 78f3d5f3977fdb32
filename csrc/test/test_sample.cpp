#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/random.hpp"
#include "core/sample.hpp"
#include "test/check.hpp"

namespace {

using edgeval::Indices;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool sound(const Indices& picks, std::int64_t n_frames, std::int64_t k) {
  return !picks.empty() && static_cast<std::int64_t>(picks.size()) <= k &&
         std::is_sorted(picks.begin(), picks.end()) && picks.front() >= 0 &&
         picks.back() < n_frames;
}

void every_rule_stays_inside() {
  for (const std::int64_t n :
       {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{7},
        std::int64_t{400}, std::int64_t{16777217}, edgeval::kMaxFrames}) {
    for (const std::int64_t k : {1, 2, 3, 8, 17, 64, 1000}) {
      CHECK(sound(edgeval::linspace_floor(n, k), n, k));
      CHECK(sound(edgeval::linspace_round(n, k), n, k));
      CHECK(sound(edgeval::segment_midpoints(0, n - 1, k), n, k));
      CHECK(sound(edgeval::stride(n, k), n, k));
      CHECK(sound(edgeval::nested(n, k), n, k));
      if (k <= n) CHECK(sound(edgeval::segment_centres(n, k), n, k));
      CHECK(
          sound(edgeval::smolvlm(n, 25.0, static_cast<double>(n) / 25.0, {1.0, k, 1.0}),
                n, k));
    }
  }
}

void known_plans() {
  CHECK(edgeval::linspace_floor(181, 8) == Indices{0, 25, 51, 77, 102, 128, 154, 180});
  CHECK(edgeval::linspace_floor(3, 5) == Indices{0, 0, 1, 1, 2});
  CHECK(edgeval::linspace_floor(9, 1) == Indices{0});
  CHECK(edgeval::linspace_round(181, 8) == Indices{0, 26, 51, 77, 103, 129, 154, 180});
  CHECK(edgeval::linspace_round(6, 3) == Indices{0, 2, 5});
  CHECK(edgeval::segment_midpoints(0, 399, 4) == Indices{49, 149, 249, 348});
  CHECK(edgeval::segment_centres(181, 8) ==
        Indices{11, 33, 56, 79, 101, 124, 147, 169});
  CHECK(edgeval::stride(100, 16) ==
        Indices{0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66, 72, 78, 84, 90});
  CHECK(edgeval::stride(3, 5) == Indices{0, 0, 0, 0, 0});
  CHECK(edgeval::nested(9, 5) == Indices{0, 2, 4, 6, 8});
  CHECK(edgeval::nested(5, 100) == Indices{0, 1, 2, 3, 4});
  CHECK(edgeval::smolvlm(181, 30.0, 181.0 / 30.0, {1.0, 64, 1.0}) ==
        Indices{0, 36, 72, 108, 144, 180});
}

void fps_counts() {
  const edgeval::FpsBudget qwen{2.0, 4, 768, 2};
  CHECK(edgeval::fps_count(400, 25.0, qwen) == 32);
  CHECK(edgeval::fps_count(10, 25.0, qwen) == 4);
  CHECK(edgeval::fps_count(3, 25.0, qwen) == 2);
  CHECK(edgeval::fps_count(1000000, 25.0, qwen) == 768);
  CHECK(edgeval::fps_count(7, 25.0, {1e308, 1, 768, 2}) == 6);
  CHECK_REFUSES(edgeval::fps_count(1, 25.0, qwen), "at least 2");
  CHECK_REFUSES(edgeval::fps_count(400, 0.0, qwen), "fps");
  CHECK_REFUSES(edgeval::fps_count(400, kNaN, qwen), "fps");
  CHECK_REFUSES(edgeval::fps_count(400, 25.0, {kInf, 4, 768, 2}), "fps");
  CHECK_REFUSES(edgeval::fps_count(400, 25.0, {2.0, 4, 768, 0}), "multiple");
}

void nested_budgets_nest() {
  for (const std::int64_t n : {1, 2, 5, 33, 400, 1001}) {
    Indices smaller = edgeval::nested(n, 1);
    for (std::int64_t k = 2; k <= 70; ++k) {
      Indices larger = edgeval::nested(n, k);
      CHECK(
          std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end()));
      CHECK(static_cast<std::int64_t>(larger.size()) == std::min(n, k));
      smaller = std::move(larger);
    }
  }
}

void smolvlm_skips_the_ends_of_a_long_video() {
  const Indices picks = edgeval::smolvlm(2500, 25.0, 100.0, {1.0, 8, 1.0});
  CHECK(picks.front() == 25);
  CHECK(picks.back() == 2475);
  CHECK(edgeval::smolvlm(2500, 1e300, 100.0, {1.0, 8, 1.0}).back() == 2499);
  CHECK_REFUSES(edgeval::smolvlm(10, 25.0, kNaN, {1.0, 8, 1.0}), "duration_s");
  CHECK_REFUSES(edgeval::smolvlm(10, 25.0, 1.0, {1.0, 8, -1.0}), "skip_s");
}

void senseless_numbers_are_refused() {
  CHECK_REFUSES(edgeval::linspace_floor(0, 4), "n_frames: got 0");
  CHECK_REFUSES(edgeval::linspace_floor(4, 0), "asked for: got 0");
  CHECK_REFUSES(edgeval::linspace_round(4, edgeval::kMaxPicks + 1), "asked for");
  CHECK_REFUSES(edgeval::nested(std::numeric_limits<std::int64_t>::max(), 4),
                "n_frames");
  CHECK_REFUSES(edgeval::stride(-5, 4), "n_frames");
  CHECK_REFUSES(edgeval::segment_midpoints(5, 4, 4), "segment");
  CHECK_REFUSES(edgeval::segment_centres(4, 5), "wants 1 to 4");
}

void shuffles_are_permutations_and_seeded() {
  Indices forward(100);
  for (std::size_t i = 0; i < forward.size(); ++i) {
    forward[i] = static_cast<std::int64_t>(i);
  }
  const Indices once = edgeval::shuffled(forward, 7);
  CHECK(once != forward);
  CHECK(once == edgeval::shuffled(forward, 7));
  CHECK(once != edgeval::shuffled(forward, 8));
  Indices back = once;
  std::sort(back.begin(), back.end());
  CHECK(back == forward);
  CHECK(edgeval::shuffled({}, 1).empty());
}

/// Known answers of the authors' Random123 1.14 (tests/kat_vectors, philox4x32 10
/// rounds).
void philox_known_answers() {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(edgeval::philox4x32({0, 0, 0, 0}, {0, 0}) ==
        Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(edgeval::philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                            {0xffffffff, 0xffffffff}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(edgeval::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                            {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  CHECK(edgeval::scaled_below(~std::uint64_t{0}, 300) == 299);
  CHECK(edgeval::scaled_below(0, 300) == 0);
}

}  // namespace

int main() {
  every_rule_stays_inside();
  known_plans();
  fps_counts();
  nested_budgets_nest();
  smolvlm_skips_the_ends_of_a_long_video();
  senseless_numbers_are_refused();
  shuffles_are_permutations_and_seeded();
  philox_known_answers();
  return edgeval::test::report();
}
