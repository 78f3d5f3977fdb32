#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "bind/array.hpp"
#include "bind/register.hpp"
#include "bind/texts.hpp"
#include "core/bootstrap.hpp"
#include "core/metrics.hpp"
#include "core/metrics_stem.hpp"

namespace edgeval::bind {
namespace {

using Floats = py::array_t<double>;
using AccuracyKernel = void (*)(const double*, const double*, std::int64_t, double*);

Floats relative_accuracy(AccuracyKernel kernel, const py::array& got,
                         const py::array& want) {
  const double* first = contiguous<double>(got, "got", {kAny});
  const double* second = contiguous<double>(want, "want", {got.size()});
  Floats out(got.size());
  double* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    kernel(first, second, got.size(), to);
  }
  return out;
}

/// A [n, 3] array that `kernel` fills from two lists of texts without the GIL.
template <typename Kernel>
Floats overlaps(const py::sequence& got, const py::sequence& want,
                const Kernel& kernel) {
  const TextViews said(got, "got");
  const TextViews meant(want, "want");
  Floats out({static_cast<py::ssize_t>(said.views().size()), py::ssize_t{3}});
  double* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    kernel(said.views(), meant.views(), to);
  }
  return out;
}

py::array_t<std::int64_t> tallied(const py::array& groups, const py::array& classes,
                                  std::int64_t n_groups, std::int64_t n_classes) {
  constexpr std::int64_t kMaxCells = 16777216;
  const auto* first = contiguous<std::int64_t>(groups, "groups", {kAny});
  const auto* second = contiguous<std::int64_t>(classes, "classes", {groups.size()});
  if (n_groups < 0 || n_classes < 0 || n_groups > kMaxCells ||
      n_classes > kMaxCells / std::max<std::int64_t>(n_groups, 1)) {
    throw ArgumentError("tally: got " + std::to_string(n_groups) + " groups and " +
                        std::to_string(n_classes) + " classes; wants at most " +
                        std::to_string(kMaxCells) + " cells");
  }
  py::array_t<std::int64_t> out({n_groups, n_classes});
  std::int64_t* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    tally(first, second, groups.size(), n_groups, n_classes, to);
  }
  return out;
}

Floats resampled(const py::array& sums, std::uint64_t seed, std::int64_t first,
                 std::int64_t count) {
  const double* from = contiguous<double>(sums, "sums", {kAny, kAny});
  require_bootstrap(sums.shape(0), sums.shape(1), first, count);
  Floats out({static_cast<py::ssize_t>(count), sums.shape(1)});
  double* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    bootstrap_sums(from, sums.shape(0), sums.shape(1), seed, first, count, to);
  }
  return out;
}

}  // namespace

void register_metrics(py::module_& module) {
  module.def(
      "mean_relative_accuracy_float64",
      [](const py::array& got, const py::array& want) {
        return relative_accuracy(mean_relative_accuracy_float64, got, want);
      },
      py::arg("got"), py::arg("want"),
      "VSI-Bench's definition: float64, `<=`. got, want, result: [n].");
  module.def(
      "mean_relative_accuracy_float32",
      [](const py::array& got, const py::array& want) {
        return relative_accuracy(mean_relative_accuracy_float32, got, want);
      },
      py::arg("got"), py::arg("want"),
      "Video-R1's definition: float32, `<`. got, want, result: [n].");
  module.def(
      "word_error_rates",
      [](const py::sequence& got, const py::sequence& want) {
        return per_pair(got, want, word_error_rates);
      },
      py::arg("got"), py::arg("want"),
      "Word edit distance over words wanted; words stand between white space.");
  module.def(
      "rouge_n",
      [](const py::sequence& got, const py::sequence& want, int order, bool stem) {
        return overlaps(got, want,
                        [&](const Texts& said, const Texts& meant, double* out) {
                          rouge_n(said, meant, order, stem, out);
                        });
      },
      py::arg("got"), py::arg("want"), py::kw_only(), py::arg("order"), py::arg("stem"),
      "Precision, recall, F of shared n-grams: [n, 3].");
  module.def(
      "rouge_l",
      [](const py::sequence& got, const py::sequence& want, bool stem) {
        return overlaps(got, want,
                        [&](const Texts& said, const Texts& meant, double* out) {
                          rouge_l(said, meant, stem, out);
                        });
      },
      py::arg("got"), py::arg("want"), py::kw_only(), py::arg("stem"),
      "Precision, recall, F of the longest common subsequence: [n, 3].");
  module.def("porter_stem", &porter_stem, py::arg("word"),
             "Stem of a lower-case ASCII word (Porter, NLTK's extensions).");
  module.def("tally", &tallied, py::arg("groups"), py::arg("classes"), py::kw_only(),
             py::arg("n_groups"), py::arg("n_classes"),
             "Exact counts per (group, class): [n_groups, n_classes].");
  module.def("bootstrap_sums", &resampled, py::arg("sums"), py::kw_only(),
             py::arg("seed"), py::arg("first"), py::arg("count"),
             "Column sums of resampled clusters: [count, n_columns].");
}

}  // namespace edgeval::bind
