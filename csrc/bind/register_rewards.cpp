#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <tuple>
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

/// Rewards, advantages, granted; `shuffled` and `n_tokens` may be None.
std::tuple<Floats, Floats, Floats> grouped(const py::array& accuracy,
                                           const py::array& form,
                                           const std::optional<py::array>& shuffled,
                                           const std::optional<py::array>& n_tokens) {
  GroupResults results{};
  results.accuracy = contiguous<double>(accuracy, "accuracy", {kAny, kAny});
  const Groups groups = groups_of(accuracy);
  results.form = contiguous<double>(form, "form", {groups.count, groups.size});
  if (shuffled) {
    results.shuffled = contiguous<double>(*shuffled, "shuffled", {groups.count, kAny});
    results.n_shuffled = shuffled->shape(1);
  }
  if (n_tokens) {
    results.n_tokens =
        contiguous<std::int64_t>(*n_tokens, "n_tokens", {groups.count, groups.size});
  }
  Floats rewards = like(groups);
  Floats advantages = like(groups);
  Floats granted(groups.count);
  double* summed = rewards.mutable_data();
  double* relative = advantages.mutable_data();
  double* passed = granted.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    t_grpo(results, groups, summed, relative, passed);
  }
  return {std::move(rewards), std::move(advantages), std::move(granted)};
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
  module.def("t_grpo", &grouped, py::arg("accuracy"), py::arg("form"),
             py::arg("shuffled"), py::arg("n_tokens"),
             "Rewards, advantages [groups, size], temporal reward granted [groups].");
}

}  // namespace edgeval::bind
