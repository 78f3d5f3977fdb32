#pragma once

#include <cstdint>
#include <vector>

/// Frame rules: which of a video's displayed frames 0 .. n_frames - 1 to take.
///
/// One function per published rule, with its source; each repeats that source's
/// arithmetic bit for bit, because one bit decides between two frames. Every result is
/// ascending, inside the video, at most as long as asked, and the same on every
/// machine. All throw ArgumentError outside 1 <= n_frames <= kMaxFrames and 1 <= k <=
/// kMaxPicks.
namespace edgeval {

using Indices = std::vector<std::int64_t>;

/// Longest video taken, in frames: 2.7 years at 25 frames/s.
inline constexpr std::int64_t kMaxFrames = 2147483647;
/// Most frames one plan may ask for: 128 MiB of indices.
inline constexpr std::int64_t kMaxPicks = 16777216;

/// k indices spread evenly over [0, n_frames), both ends included, rounded down.
/// One is the first frame. With k > n_frames frames repeat, as in the source.
/// Source: lmms-eval@75571cfe models/simple/llava_hf.py (load_video): numpy's
/// linspace(0, n_frames - 1, k, dtype=int) in float64.
Indices linspace_floor(std::int64_t n_frames, std::int64_t k);

/// As linspace_floor but rounded to the nearest, halves to even, in float32 as torch
/// does it on x86: upwards from the start in the lower half, downwards from the end in
/// the upper half, that one with a single rounding (fused multiply-add). Source:
/// qwen_vl_utils vision_process.py (torch.linspace(0, n - 1, k).round().long()).
Indices linspace_round(std::int64_t n_frames, std::int64_t k);

/// int(first + s/2 + round(s*i)) for i < k, where s = (last - first) / k.
/// first, last: the segment's ends, 0 <= first <= last < n_frames.
/// Source: Ask-Anything@4dd8210b video_chat2/mvbench.ipynb (get_index).
Indices segment_midpoints(std::int64_t first, std::int64_t last, std::int64_t k);

/// int(s/2 + s*i) for i < k, where s = n_frames / k: the centres of k equal segments,
/// in float32 as torch.arange computes it on x86 (blocks of 8 from a rounded base).
/// Throws ArgumentError for k > n_frames, as the source does.
/// Source: transformers 5.23 models/internvl/video_processing_internvl.py
/// (sample_frames).
Indices segment_centres(std::int64_t n_frames, std::int64_t k);

/// Every (n_frames // k)-th frame from the first on, k of them.
/// With k > n_frames the step is 0 and the first frame repeats, as in the source.
/// Source: lmms-eval@75571cfe tasks/longvideobench/utils.py (load_video).
Indices stride(std::int64_t n_frames, std::int64_t k);

/// How an fps rule bounds and rounds its number of frames.
struct FpsBudget {
  double fps;             ///< frames wanted per second of video
  std::int64_t min_n;     ///< at least this many, rounded up to the multiple
  std::int64_t max_n;     ///< at most this many, rounded down to the multiple
  std::int64_t multiple;  ///< the number is a multiple of this (temporal patch size)
};

/// How many frames `budget` takes from n_frames shown at video_fps frames/s.
/// Throws ArgumentError when the video has fewer frames than one multiple, as the
/// source. Source: qwen_vl_utils vision_process.py (smart_nframes); spread them by
/// linspace_round.
std::int64_t fps_count(std::int64_t n_frames, double video_fps,
                       const FpsBudget& budget);

/// What SmolVLM's rule reads from its processor's configuration.
struct SmolvlmBudget {
  double fps;          ///< frames wanted per second of video
  std::int64_t max_n;  ///< at most this many
  double skip_s;       ///< seconds left out at either end of a long video
};

/// About fps * duration_s frames, at most max_n, evenly over the video (rounded down,
/// no repeats), without its first and last skip_s seconds when it is longer than max_n
/// * fps seconds plus those (the source compares these two numbers as they are).
/// Source: transformers 5.23 models/smolvlm/video_processing_smolvlm.py
/// (sample_frames).
Indices smolvlm(std::int64_t n_frames, double video_fps, double duration_s,
                const SmolvlmBudget& budget);

/// The first min(k, n_frames) distinct frames of one fixed order of the video,
/// ascending: the k frames of a smaller budget are among those of every larger one.
///
/// The order is first, last, middle, quarters, eighths ...: points 0, 1, then van der
/// Corput's 1/2, 1/4, 3/4, 1/8, 5/8, 3/8, 7/8 ... of [0, n_frames - 1], rounded half
/// up, frames already taken left out. k = 2^m + 1 is an even grid; between these the
/// widest gap is twice the narrowest. Source: ours.
Indices nested(std::int64_t n_frames, std::int64_t k);

/// A permutation of `indices` that depends on its length and `seed` only.
/// Fisher-Yates from the end, one counter-based draw per place (random.hpp). Source:
/// ours.
Indices shuffled(Indices indices, std::uint64_t seed);

}  // namespace edgeval
