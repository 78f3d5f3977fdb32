#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/batch.hpp"

namespace edgeval::batch {
namespace {

/// As torch.tensor(x, dtype=float32) has it: too large becomes infinite.
float narrowed(double x) {
  using Limits = std::numeric_limits<float>;
  if (std::abs(x) <= static_cast<double>(Limits::max()) || std::isnan(x)) {
    return static_cast<float>(x);
  }
  return x > 0 ? Limits::infinity() : -Limits::infinity();
}

bool accuracy_float64(const double* got, const double* want, std::int64_t n,
                      double* out) {
  const std::array<double, kThresholds> tolerances = tolerances_float64();
  for (std::int64_t i = 0; i < n; ++i) {
    const double error = std::abs(got[i] - want[i]) / want[i];
    const auto passed =
        std::count_if(tolerances.begin(), tolerances.end(),
                      [error](double tolerance) { return error <= tolerance; });
    out[i] = static_cast<double>(passed) / kThresholds;
  }
  return std::find(want, want + n, 0.0) == want + n;
}

void accuracy_float32(const double* got, const double* want, std::int64_t n,
                      double* out) {
  constexpr float kAdded = 1e-8F;
  const std::array<float, kThresholds> tolerances = tolerances_float32();
  for (std::int64_t i = 0; i < n; ++i) {
    const float target = narrowed(want[i]);
    const float error =
        std::abs(narrowed(got[i]) - target) / (std::abs(target) + kAdded);
    const auto passed =
        std::count_if(tolerances.begin(), tolerances.end(),
                      [error](float tolerance) { return error < tolerance; });
    out[i] = static_cast<double>(static_cast<float>(passed) / kThresholds);
  }
}

/// The sum of term(first) .. term(last - 1) in eight lanes.
template <typename Term>
[[gnu::always_inline]] inline double lanes_sum(std::int64_t first, std::int64_t last,
                                               const Term& term) {
  double total = 0;
  std::int64_t i = first;
  if (last - first >= kLanes) {
    std::array<double, kLanes> lane{};
    for (; i + kLanes <= last; i += kLanes) {
      for (std::int64_t j = 0; j < kLanes; ++j) {
        lane[static_cast<std::size_t>(j)] += term(i + j);
      }
    }
    total = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
            ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  }
  for (; i < last; ++i) total += term(i);
  return total;
}

/// The same in numpy's order, halves where there are over 128, so that a mean of equal
/// numbers errs as theirs does.
template <typename Term>
double halves_sum(std::int64_t first, std::int64_t last, const Term& term) {
  const std::int64_t n = last - first;
  if (n <= kBlock) return lanes_sum(first, last, term);
  const std::int64_t middle = first + n / 2 - n / 2 % kLanes;
  return halves_sum(first, middle, term) + halves_sum(middle, last, term);
}

template <typename Term>
[[gnu::always_inline]] inline double sum(std::int64_t n, const Term& term) {
  return n <= kBlock ? lanes_sum(0, n, term) : halves_sum(0, n, term);
}

[[gnu::always_inline]] inline double mean(const double* values, std::int64_t n,
                                          const Size& size) {
  const double total = sum(n, [values](std::int64_t i) { return values[i]; });
  return size.exact ? total * size.share : total / size.size;
}

/// Adds the length reward to a group's rewards.
void add_length_rewards(const double* accuracy, const std::int64_t* n_tokens,
                        std::int64_t n, double* rewards) {
  std::int64_t tried = 0;
  for (std::int64_t i = 0; i < n; ++i) tried += accuracy[i] > kTried ? 1 : 0;
  // Looked up, because a jump costs more: to the processor it is as good as random
  // which lengths are wanted.
  const std::array<double, 2> worth = {0, tried > 1 ? kLengthBonus : 0};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t past = static_cast<std::uint64_t>(n_tokens[i]) - kLeastTokens;
    const auto fits = static_cast<std::size_t>(past <= kTokenRange);
    rewards[i] += worth[fits & static_cast<std::size_t>(accuracy[i] > kTried)];
  }
}

constexpr std::int64_t kAtOnce = 64;

/// The advantages of up to kAtOnce groups, step by step: a group waits long for its
/// deviation, and meanwhile the processor goes on with the others.
void some_advantages(const double* rewards, Groups groups, const Size& size,
                     double* out) {
  const double unbiased = 1 / static_cast<double>(groups.size - 1);
  std::array<double, kAtOnce> middle{};
  std::array<double, kAtOnce> scale{};
  for (std::int64_t g = 0; g < groups.count; ++g) {
    middle[static_cast<std::size_t>(g)] =
        mean(rewards + g * groups.size, groups.size, size);
  }
  for (std::int64_t g = 0; g < groups.count; ++g) {
    const double* group = rewards + g * groups.size;
    const double centre = middle[static_cast<std::size_t>(g)];
    scale[static_cast<std::size_t>(g)] =
        sum(groups.size, [group, centre](std::int64_t i) {
          return (group[i] - centre) * (group[i] - centre);
        });
  }
  // Multiplied by, though that errs in the last bit; the mean must not: its last bit
  // over 1e-4 is 1e-12 where all rewards are equal.
  for (double& each : scale) each = 1 / (std::sqrt(each * unbiased) + kEpsilon);
  for (std::int64_t g = 0; g < groups.count; ++g) {
    const double* group = rewards + g * groups.size;
    double* result = out + g * groups.size;
    const double centre = middle[static_cast<std::size_t>(g)];
    const double factor = scale[static_cast<std::size_t>(g)];
    for (std::int64_t i = 0; i < groups.size; ++i) {
      result[i] = (group[i] - centre) * factor;
    }
  }
}

void advantages(const double* rewards, Groups groups, double* out) {
  const Size size(groups.size);
  for (std::int64_t first = 0; first < groups.count; first += kAtOnce) {
    const std::int64_t at = first * groups.size;
    some_advantages(rewards + at,
                    {std::min(kAtOnce, groups.count - first), groups.size}, size,
                    out + at);
  }
}

/// Whether the mean accuracy on ordered frames keeps up with that on shuffled ones.
bool keeps_up(double ordered, double shuffled) { return ordered >= kKept * shuffled; }

void temporal(const double* ordered, Groups groups, const double* shuffled,
              std::int64_t n_shuffled, double* bonus, double* granted) {
  const Size size(groups.size);
  const Size size_shuffled(n_shuffled);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const double* accuracy = ordered + group * groups.size;
    const bool passed =
        keeps_up(mean(accuracy, groups.size, size),
                 mean(shuffled + group * n_shuffled, n_shuffled, size_shuffled));
    const double worth = passed ? kInOrder : 0;
    granted[group] = passed ? 1 : 0;
    double* to = bonus + group * groups.size;
    for (std::int64_t i = 0; i < groups.size; ++i) {
      to[i] = accuracy[i] > kTried ? worth : 0;
    }
  }
}

/// A group's rewards, and whether the temporal bonus was granted.
double sum_up(const GroupResults& results, std::int64_t group, const Size& size,
              const Size& size_shuffled, std::int64_t n, double* rewards) {
  const std::int64_t first = group * n;
  const double* accuracy = results.accuracy + first;
  double worth = 0;
  double granted = kImage;
  if (results.shuffled != nullptr) {
    const double* shuffled = results.shuffled + group * results.n_shuffled;
    const bool passed = keeps_up(mean(accuracy, n, size),
                                 mean(shuffled, results.n_shuffled, size_shuffled));
    worth = passed ? kInOrder : 0;
    granted = passed ? 1 : 0;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double bonus = accuracy[i] > kTried ? worth : 0;
    rewards[i] = accuracy[i] + bonus + results.form[first + i];
  }
  if (results.n_tokens != nullptr) {
    add_length_rewards(accuracy, results.n_tokens + first, n, rewards);
  }
  return granted;
}

void t_grpo(const GroupResults& results, Groups groups, double* rewards,
            double* advantages, double* granted) {
  const Size size(groups.size);
  const Size size_shuffled(results.n_shuffled);
  for (std::int64_t first = 0; first < groups.count; first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, groups.count - first);
    for (std::int64_t group = first; group < first + count; ++group) {
      granted[group] = sum_up(results, group, size, size_shuffled, groups.size,
                              rewards + group * groups.size);
    }
    const std::int64_t at = first * groups.size;
    some_advantages(rewards + at, {count, groups.size}, size, advantages + at);
  }
}

}  // namespace

const Kernels& scalar_kernels() {
  static constexpr Kernels kKernels = {
      Path::kScalar, "scalar",   accuracy_float64, accuracy_float32,
      temporal,      advantages, t_grpo,
  };
  return kKernels;
}

}  // namespace edgeval::batch
