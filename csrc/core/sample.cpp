#include "core/sample.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"

namespace edgeval {
namespace {

void require_between(const char* name, std::int64_t got, std::int64_t low,
                     std::int64_t high) {
  if (got >= low && got <= high) return;
  throw ArgumentError(std::string(name) + ": got " + std::to_string(got) + "; wants " +
                      std::to_string(low) + " to " + std::to_string(high));
}

void require_positive(const char* name, double got) {
  if (std::isfinite(got) && got > 0) return;
  throw ArgumentError(std::string(name) + ": got " + std::to_string(got) +
                      "; wants a finite number above 0");
}

void require_not_negative(const char* name, double got) {
  if (std::isfinite(got) && got >= 0) return;
  throw ArgumentError(std::string(name) + ": got " + std::to_string(got) +
                      "; wants a finite number, 0 or more");
}

void require_video(std::int64_t n_frames, std::int64_t k) {
  require_between("n_frames", n_frames, 1, kMaxFrames);
  require_between("number of frames asked for", k, 1, kMaxPicks);
}

/// int(x) as Python has it, kept within +-kMaxFrames so that the cast is defined.
std::int64_t truncated(double x) {
  constexpr auto kLimit = static_cast<double>(kMaxFrames);
  return static_cast<std::int64_t>(std::clamp(x, -kLimit, kLimit));
}

/// numpy.linspace(first, last, k, dtype=int): i * step + first, the last one set.
Indices numpy_linspace(std::int64_t first, std::int64_t last, std::int64_t k) {
  const auto start = static_cast<double>(first);
  const double step = static_cast<double>(last - first) / static_cast<double>(k - 1);
  Indices picks(static_cast<std::size_t>(k), first);
  for (std::int64_t i = 1; i < k; ++i) {
    picks[static_cast<std::size_t>(i)] =
        i == k - 1 ? last : truncated(static_cast<double>(i) * step + start);
  }
  return picks;
}

std::int64_t nearest_in_video(float x, std::int64_t n_frames) {
  const double rounded = std::nearbyint(static_cast<double>(x));
  return std::clamp<std::int64_t>(truncated(rounded), 0, n_frames - 1);
}

/// Floor of a/b in whole multiples of b, in floating point as the source has it.
double floor_to(double number, std::int64_t multiple) {
  const auto unit = static_cast<double>(multiple);
  return std::floor(number / unit) * unit;
}

double ceil_to(double number, std::int64_t multiple) {
  const auto unit = static_cast<double>(multiple);
  return std::ceil(number / unit) * unit;
}

/// The frame at point j of the order that `nested` documents.
std::int64_t nested_point(std::int64_t j, std::int64_t n_frames) {
  const std::int64_t last = n_frames - 1;
  if (j < 2) return j == 0 ? 0 : last;
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;
  for (std::int64_t bits = j - 1; bits > 0; bits /= 2) {
    numerator = numerator * 2 + bits % 2;
    denominator *= 2;
  }
  return (2 * numerator * last + denominator) / (2 * denominator);
}

}  // namespace

Indices linspace_floor(std::int64_t n_frames, std::int64_t k) {
  require_video(n_frames, k);
  return numpy_linspace(0, n_frames - 1, k);
}

Indices linspace_round(std::int64_t n_frames, std::int64_t k) {
  require_video(n_frames, k);
  const auto last = static_cast<float>(n_frames - 1);
  const float step = k > 1 ? last / static_cast<float>(k - 1) : 0.0F;
  Indices picks(static_cast<std::size_t>(k), 0);
  for (std::int64_t i = 1; i < k; ++i) {
    const float from_start = step * static_cast<float>(i);
    const float from_end = std::fma(-step, static_cast<float>(k - 1 - i), last);
    picks[static_cast<std::size_t>(i)] =
        nearest_in_video(i < k / 2 ? from_start : from_end, n_frames);
  }
  return picks;
}

Indices segment_midpoints(std::int64_t first, std::int64_t last, std::int64_t k) {
  require_between("last frame of the segment", last, 0, kMaxFrames - 1);
  require_between("first frame of the segment", first, 0, last);
  require_between("number of frames asked for", k, 1, kMaxPicks);
  const double segment = static_cast<double>(last - first) / static_cast<double>(k);
  const double start = static_cast<double>(first) + segment / 2;
  Indices picks(static_cast<std::size_t>(k));
  for (std::int64_t i = 0; i < k; ++i) {
    picks[static_cast<std::size_t>(i)] =
        truncated(start + std::nearbyint(segment * static_cast<double>(i)));
  }
  return picks;
}

Indices segment_centres(std::int64_t n_frames, std::int64_t k) {
  require_video(n_frames, k);
  require_between("number of frames asked for", k, 1, n_frames);
  constexpr std::int64_t kLanes = 8;
  const double segment = static_cast<double>(n_frames) / static_cast<double>(k);
  const double half = segment / 2;
  // torch takes two vectors at a time and the rest one by one, each from its own
  // product.
  const std::int64_t in_blocks = k - k % (2 * kLanes);
  Indices picks(static_cast<std::size_t>(k));
  for (std::int64_t i = 0; i < k; ++i) {
    const std::int64_t lane = i < in_blocks ? i % kLanes : 0;
    const auto base =
        static_cast<float>(std::fma(segment, static_cast<double>(i - lane), half));
    const double exact =
        static_cast<double>(base) + segment * static_cast<double>(lane);
    picks[static_cast<std::size_t>(i)] = std::min(
        truncated(static_cast<double>(static_cast<float>(exact))), n_frames - 1);
  }
  return picks;
}

Indices stride(std::int64_t n_frames, std::int64_t k) {
  require_video(n_frames, k);
  const std::int64_t step = n_frames / k;
  Indices picks(static_cast<std::size_t>(k));
  for (std::int64_t i = 0; i < k; ++i) picks[static_cast<std::size_t>(i)] = step * i;
  return picks;
}

std::int64_t fps_count(std::int64_t n_frames, double video_fps,
                       const FpsBudget& budget) {
  require_between("n_frames", n_frames, 1, kMaxFrames);
  require_positive("the video's fps", video_fps);
  require_positive("fps", budget.fps);
  require_between("multiple", budget.multiple, 1, kMaxFrames);
  require_between("min_n", budget.min_n, 0, kMaxFrames);
  require_between("max_n", budget.max_n, 1, kMaxFrames);
  const auto total = static_cast<double>(n_frames);
  const double at_least = ceil_to(static_cast<double>(budget.min_n), budget.multiple);
  const double at_most = floor_to(static_cast<double>(budget.max_n), budget.multiple);
  const double wanted = total / video_fps * budget.fps;
  const double count =
      floor_to(std::min({std::max(wanted, at_least), at_most, total}), budget.multiple);
  if (count >= static_cast<double>(budget.multiple)) return truncated(count);
  throw ArgumentError("frame rule 'fps': got " + std::to_string(n_frames) +
                      " frames and at most " + std::to_string(budget.max_n) +
                      "; wants room for at least " + std::to_string(budget.multiple) +
                      ", one multiple, ask for more or give a longer video");
}

Indices smolvlm(std::int64_t n_frames, double video_fps, double duration_s,
                const SmolvlmBudget& budget) {
  require_video(n_frames, budget.max_n);
  require_positive("the video's fps", video_fps);
  require_positive("fps", budget.fps);
  require_not_negative("duration_s", duration_s);
  require_not_negative("skip_s", budget.skip_s);
  const auto most = static_cast<double>(budget.max_n);
  const double estimated = std::nearbyint(budget.fps * duration_s);
  const auto count = static_cast<std::int64_t>(std::clamp(estimated, 1.0, most));
  std::int64_t first = 0;
  std::int64_t last = n_frames - 1;
  if (budget.skip_s > 0 && duration_s - 2 * budget.skip_s > most * budget.fps) {
    const double skipped = budget.skip_s * video_fps;
    first = truncated(skipped);
    last = std::min(truncated(static_cast<double>(n_frames) - skipped), last);
    if (first >= last) {
      first = 0;
      last = n_frames - 1;
    }
  }
  Indices picks = numpy_linspace(first, last, count);
  picks.erase(std::unique(picks.begin(), picks.end()), picks.end());
  return picks;
}

Indices nested(std::int64_t n_frames, std::int64_t k) {
  require_video(n_frames, k);
  const auto wanted = static_cast<std::size_t>(std::min(k, n_frames));
  std::unordered_set<std::int64_t> taken;
  taken.reserve(wanted);
  for (std::int64_t j = 0; taken.size() < wanted; ++j) {
    taken.insert(nested_point(j, n_frames));
  }
  Indices picks(taken.begin(), taken.end());
  std::sort(picks.begin(), picks.end());
  return picks;
}

Indices shuffled(Indices indices, std::uint64_t seed) {
  for (std::size_t place = indices.size(); place > 1; --place) {
    const auto block = static_cast<std::uint32_t>(place);
    const std::uint64_t word = random_words(seed, Draws::kShuffle, 0, block)[0];
    std::swap(indices[place - 1],
              indices[static_cast<std::size_t>(scaled_below(word, place))]);
  }
  return indices;
}

}  // namespace edgeval
