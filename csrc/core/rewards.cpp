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

constexpr double kTried = 0.1;  // A completion with no more accuracy earns no bonus.

void require_groups(Groups groups, std::int64_t least) {
  if (groups.size >= least) return;
  throw ArgumentError("rewards: got groups of " + std::to_string(groups.size) +
                      "; wants at least " + std::to_string(least) +
                      " completions each");
}

/// The sum of term(0) .. term(n - 1), in eight lanes: as numpy adds up to 128 numbers.
template <typename Term>
double sum(std::int64_t n, const Term& term) {
  constexpr std::int64_t kLanes = 8;
  double total = 0;
  std::int64_t i = 0;
  if (n >= kLanes) {
    std::array<double, kLanes> lane{};
    for (; i + kLanes <= n; i += kLanes) {
      for (std::int64_t j = 0; j < kLanes; ++j)
        lane[static_cast<std::size_t>(j)] += term(i + j);
    }
    total = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
            ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  }
  for (; i < n; ++i) total += term(i);
  return total;
}

double mean(const double* values, std::int64_t n) {
  return sum(n, [values](std::int64_t i) { return values[i]; }) /
         static_cast<double>(n);
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
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const double* accuracy = ordered + group * groups.size;
    const double in_order = mean(accuracy, groups.size);
    const double in_disorder = mean(shuffled + group * n_shuffled, n_shuffled);
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
  // Multiplied by, because dividing is what this kernel would wait for.
  const double share = 1 / static_cast<double>(groups.size);
  const double unbiased = 1 / static_cast<double>(groups.size - 1);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const double* from = rewards + group * groups.size;
    double* to = out + group * groups.size;
    const double middle =
        share * sum(groups.size, [from](std::int64_t i) { return from[i]; });
    const double squares = sum(groups.size, [from, middle](std::int64_t i) {
      return (from[i] - middle) * (from[i] - middle);
    });
    const double scale = 1 / (std::sqrt(squares * unbiased) + kEpsilon);
    for (std::int64_t i = 0; i < groups.size; ++i) to[i] = (from[i] - middle) * scale;
  }
}

}  // namespace edgeval
