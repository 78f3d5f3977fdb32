#include "core/rewards.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "core/error.hpp"
#include "core/metrics_align.hpp"
#include "core/metrics_text.hpp"
#include "core/metrics_words.hpp"

namespace edgeval {
namespace {

constexpr std::int64_t kBlock = 128;  // numpy adds more numbers than that by halves.
constexpr double kTried = 0.1;  // A completion with no more accuracy earns no bonus.

void require_groups(Groups groups, std::int64_t least) {
  if (groups.size >= least) return;
  throw ArgumentError("rewards: got groups of " + std::to_string(groups.size) +
                      "; wants at least " + std::to_string(least) +
                      " completions each");
}

/// The sum of term(first) .. term(last - 1) in eight lanes.
template <typename Term>
[[gnu::always_inline]] inline double lanes_sum(std::int64_t first, std::int64_t last,
                                               const Term& term) {
  constexpr std::int64_t kLanes = 8;
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
  constexpr std::int64_t kLanes = 8;
  const std::int64_t n = last - first;
  if (n <= kBlock) return lanes_sum(first, last, term);
  const std::int64_t middle = first + n / 2 - n / 2 % kLanes;
  return halves_sum(first, middle, term) + halves_sum(middle, last, term);
}

template <typename Term>
[[gnu::always_inline]] inline double sum(std::int64_t n, const Term& term) {
  return n <= kBlock ? lanes_sum(0, n, term) : halves_sum(0, n, term);
}

/// Divides by a group's size, to the last bit; by a power of two without dividing,
/// which is what these kernels would wait for.
class Size {
 public:
  explicit Size(std::int64_t size)
      : size_(static_cast<double>(size)),
        share_(1 / size_),
        exact_((size & (size - 1)) == 0) {}
  [[nodiscard]] double divide(double total) const {
    return exact_ ? total * share_ : total / size_;
  }

 private:
  double size_;
  double share_;
  bool exact_;
};

double mean(const double* values, std::int64_t n, const Size& size) {
  return size.divide(sum(n, [values](std::int64_t i) { return values[i]; }));
}

}  // namespace

void ocr_rewards(const Texts& got, const Texts& want, double* out) {
  require_pairs(got, want);
  Vocabulary vocabulary;
  Aligner aligner;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    read_spaced_words(got[i], vocabulary, said);
    read_spaced_words(want[i], vocabulary, meant);
    out[i] = 0;
    // Too many words by as many as were wanted: each is an error, so the rate is
    // over 1.
    if (said.size() > 2 * meant.size()) continue;
    const std::int64_t distance = aligner.edit_distance(meant, said, vocabulary.size());
    const double rate = static_cast<double>(distance) /
                        static_cast<double>(std::max<std::size_t>(meant.size(), 1));
    out[i] = std::max(0.0, 1 - rate);
  }
}

void free_form_rewards(const Texts& got, const Texts& want, double* out) {
  constexpr double kParts = 3;
  require_pairs(got, want);
  RougeWords words(true);
  RunCounter runs;
  Aligner aligner;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    words.read(got[i], said);
    words.read(want[i], meant);
    const std::int64_t common = aligner.common_subsequence(meant, said, words.size());
    const double one = runs.shared(said, meant, 1).f_measure;
    const double two = runs.shared(said, meant, 2).f_measure;
    const double longest = overlap(common, said.size(), meant.size()).f_measure;
    out[i] = std::min(1.0, (one + two + longest) / kParts);
  }
}

void temporal_rewards(const double* ordered, Groups groups, const double* shuffled,
                      std::int64_t n_shuffled, double* bonus, double* granted) {
  constexpr double kShare = 0.8;
  constexpr double kBonus = 0.3;
  require_groups(groups, 1);
  require_groups({groups.count, n_shuffled}, 1);
  const Size size(groups.size);
  const Size size_shuffled(n_shuffled);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const double* accuracy = ordered + group * groups.size;
    const double in_order = mean(accuracy, groups.size, size);
    const double in_disorder =
        mean(shuffled + group * n_shuffled, n_shuffled, size_shuffled);
    const bool passed = in_order >= kShare * in_disorder;
    const double worth = passed ? kBonus : 0;
    granted[group] = passed ? 1 : 0;
    double* to = bonus + group * groups.size;
    for (std::int64_t i = 0; i < groups.size; ++i)
      to[i] = accuracy[i] > kTried ? worth : 0;
  }
}

void group_advantages(const double* rewards, Groups groups, double* out) {
  constexpr double kEpsilon = 1e-4;
  require_groups(groups, 2);
  const Size size(groups.size);
  // Multiplied by, though that errs in the last bit; the mean must not: its last bit
  // over 1e-4 is 1e-12 where all rewards are equal.
  const double unbiased = 1 / static_cast<double>(groups.size - 1);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const double* from = rewards + group * groups.size;
    double* to = out + group * groups.size;
    const double middle = mean(from, groups.size, size);
    const double squares = sum(groups.size, [from, middle](std::int64_t i) {
      return (from[i] - middle) * (from[i] - middle);
    });
    const double scale = 1 / (std::sqrt(squares * unbiased) + kEpsilon);
    for (std::int64_t i = 0; i < groups.size; ++i) to[i] = (from[i] - middle) * scale;
  }
}

}  // namespace edgeval
