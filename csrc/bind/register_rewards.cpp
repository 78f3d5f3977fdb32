#include <pybind11/pybind11.h>

#include <cstdint>
#include <utility>

#include "bind/array.hpp"
#include "bind/register.hpp"
#include "bind/texts.hpp"
#include "core/rewards.hpp"

namespace edgeval::bind {
namespace {

using Floats = py::array_t<double>;

Groups groups_of(const py::array& array) { return {array.shape(0), array.shape(1)}; }

Floats like(Groups groups) { return Floats({groups.count, groups.size}); }

std::pair<Floats, Floats> temporal(const py::array& ordered,
                                   const py::array& shuffled) {
  const double* first = contiguous<double>(ordered, "ordered", {kAny, kAny});
  const Groups groups = groups_of(ordered);
  const double* second =
      contiguous<double>(shuffled, "shuffled", {ordered.shape(0), kAny});
  const std::int64_t n_shuffled = shuffled.shape(1);
  Floats bonus = like(groups);
  Floats granted(groups.count);
  double* to = bonus.mutable_data();
  double* passed = granted.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    temporal_rewards(first, groups, second, n_shuffled, to, passed);
  }
  return {std::move(bonus), std::move(granted)};
}

Floats advantages(const py::array& rewards) {
  const double* from = contiguous<double>(rewards, "rewards", {kAny, kAny});
  const Groups groups = groups_of(rewards);
  Floats out = like(groups);
  double* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    group_advantages(from, groups, to);
  }
  return out;
}

}  // namespace

void register_rewards(py::module_& module) {
  module.def(
      "ocr_rewards",
      [](const py::sequence& got, const py::sequence& want) {
        return per_pair(got, want, ocr_rewards);
      },
      py::arg("got"), py::arg("want"), "1 less the word error rate, at least 0: [n].");
  module.def(
      "free_form_rewards",
      [](const py::sequence& got, const py::sequence& want) {
        return per_pair(got, want, free_form_rewards);
      },
      py::arg("got"), py::arg("want"), "Mean F of ROUGE-1, -2 and -L, stemmed: [n].");
  module.def("temporal_rewards", &temporal, py::arg("ordered"), py::arg("shuffled"),
             "Bonus of each completion [groups, size], whether granted [groups].");
  module.def("group_advantages", &advantages, py::arg("rewards"),
             "Rewards less their group's mean, over its deviation: [groups, size].");
}

}  // namespace edgeval::bind
