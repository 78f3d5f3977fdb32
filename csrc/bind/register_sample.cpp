#include <cstdint>
#include <utility>

#include "bind/array.hpp"
#include "bind/register.hpp"
#include "core/sample.hpp"

namespace edgeval::bind {
namespace {

/// Runs `rule` without the GIL and copies its indices into a new int64 array.
template <typename Rule>
py::array_t<std::int64_t> picked(const Rule& rule) {
  Indices picks;
  {
    const py::gil_scoped_release unlocked;
    picks = rule();
  }
  return py::array_t<std::int64_t>(static_cast<py::ssize_t>(picks.size()),
                                   picks.data());
}

}  // namespace

void register_sample(py::module_& module) {
  using Int = std::int64_t;
  module.attr("MAX_FRAMES") = kMaxFrames;
  module.attr("MAX_PICKS") = kMaxPicks;

  module.def(
      "linspace_floor",
      [](Int n_frames, Int k) {
        return picked([&] { return linspace_floor(n_frames, k); });
      },
      py::arg("n_frames"), py::arg("k"),
      "k indices evenly over [0, n_frames), rounded down (lmms-eval).");
  module.def(
      "linspace_round",
      [](Int n_frames, Int k) {
        return picked([&] { return linspace_round(n_frames, k); });
      },
      py::arg("n_frames"), py::arg("k"),
      "k indices evenly over [0, n_frames), halves to even (qwen_vl_utils).");
  module.def(
      "segment_midpoints",
      [](Int first, Int last, Int k) {
        return picked([&] { return segment_midpoints(first, last, k); });
      },
      py::arg("first"), py::arg("last"), py::arg("k"),
      "Midpoints of k segments of [first, last] (MVBench).");
  module.def(
      "segment_centres",
      [](Int n_frames, Int k) {
        return picked([&] { return segment_centres(n_frames, k); });
      },
      py::arg("n_frames"), py::arg("k"),
      "Centres of k segments of [0, n_frames) (InternVL).");
  module.def(
      "stride",
      [](Int n_frames, Int k) { return picked([&] { return stride(n_frames, k); }); },
      py::arg("n_frames"), py::arg("k"),
      "Every (n_frames // k)-th frame, k of them (LongVideoBench).");
  module.def(
      "fps_count",
      [](Int n_frames, double video_fps, double fps, Int min_n, Int max_n,
         Int multiple) {
        return fps_count(n_frames, video_fps, {fps, min_n, max_n, multiple});
      },
      py::arg("n_frames"), py::arg("video_fps"), py::kw_only(), py::arg("fps"),
      py::arg("min_n"), py::arg("max_n"), py::arg("multiple"),
      "How many frames an fps rule takes (qwen_vl_utils).");
  module.def(
      "smolvlm",
      [](Int n_frames, double video_fps, double duration_s, double fps, Int max_n,
         double skip_s) {
        return picked([&] {
          return smolvlm(n_frames, video_fps, duration_s, {fps, max_n, skip_s});
        });
      },
      py::arg("n_frames"), py::arg("video_fps"), py::arg("duration_s"), py::kw_only(),
      py::arg("fps"), py::arg("max_n"), py::arg("skip_s"),
      "SmolVLM's own rule (transformers SmolVLMVideoProcessor).");
  module.def(
      "nested",
      [](Int n_frames, Int k) { return picked([&] { return nested(n_frames, k); }); },
      py::arg("n_frames"), py::arg("k"),
      "The first k frames of one fixed order, ascending: budgets nest.");
  module.def(
      "shuffled",
      [](const py::array& indices, std::uint64_t seed) {
        const Int* first = contiguous<Int>(indices, "indices", {kAny});
        Indices copy(first, first + indices.size());
        return picked([&] { return shuffled(std::move(copy), seed); });
      },
      py::arg("indices"), py::arg("seed"),
      "A permutation that depends on the length and the seed only.");
}

}  // namespace edgeval::bind
