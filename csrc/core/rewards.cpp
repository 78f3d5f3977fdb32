#include "core/rewards.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/metrics_align.hpp"
#include "core/metrics_text.hpp"
#include "core/metrics_words.hpp"

namespace edgeval {
namespace {

constexpr std::int64_t kBlock = 128;  // numpy adds more numbers than that by halves.
constexpr double kInOrder = 0.3;      // What keeping up with shuffled frames is worth.
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

[[gnu::always_inline]] inline double mean(const double* values, std::int64_t n,
                                          const Size& size) {
  return size.divide(sum(n, [values](std::int64_t i) { return values[i]; }));
}

/// Whether the mean accuracy on ordered frames keeps up with that on shuffled ones.
bool keeps_up(double ordered, double shuffled) {
  constexpr double kShare = 0.8;
  return ordered >= kShare * shuffled;
}

/// What follows the first "<answer>" up to the next "</answer>", empty without both.
std::string_view answer_block(std::string_view text) {
  constexpr std::string_view kOpening = "<answer>";
  const std::size_t opening = text.find(kOpening);
  if (opening == std::string_view::npos) return {};
  const std::size_t begin = opening + kOpening.size();
  const std::size_t end = text.find("</answer>", begin);
  if (end == std::string_view::npos) return {};
  return text.substr(begin, end - begin);
}

/// Adds the length reward to a group's rewards.
void add_length_rewards(const double* accuracy, const std::int64_t* n_tokens,
                        std::int64_t n, double* rewards) {
  constexpr double kBonus = 0.2;
  constexpr std::uint64_t kLeast = 320;
  constexpr std::uint64_t kRange = 512 - kLeast;
  const double tried =
      sum(n, [accuracy](std::int64_t i) { return accuracy[i] > kTried ? 1.0 : 0.0; });
  // Looked up, because a jump costs more: to the processor it is as good as random
  // which lengths are wanted.
  const std::array<double, 2> worth = {0, tried > 1 ? kBonus : 0};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t past = static_cast<std::uint64_t>(n_tokens[i]) - kLeast;
    const auto fits = static_cast<std::size_t>(past <= kRange);
    rewards[i] += worth[fits & static_cast<std::size_t>(accuracy[i] > kTried)];
  }
}

/// The advantages of all groups, some at a time and step by step: a group waits long
/// for its deviation, and meanwhile the processor goes on with the others.
void write_advantages(const double* rewards, Groups groups, double* out) {
  constexpr double kEpsilon = 1e-4;
  constexpr std::int64_t kAtOnce = 64;
  const Size size(groups.size);
  const double unbiased = 1 / static_cast<double>(groups.size - 1);
  std::array<double, kAtOnce> middle{};
  std::array<double, kAtOnce> scale{};
  for (std::int64_t first = 0; first < groups.count; first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, groups.count - first);
    const double* from = rewards + first * groups.size;
    double* to = out + first * groups.size;
    for (std::int64_t g = 0; g < count; ++g) {
      middle[static_cast<std::size_t>(g)] =
          mean(from + g * groups.size, groups.size, size);
    }
    for (std::int64_t g = 0; g < count; ++g) {
      const double* group = from + g * groups.size;
      const double centre = middle[static_cast<std::size_t>(g)];
      scale[static_cast<std::size_t>(g)] =
          sum(groups.size, [group, centre](std::int64_t i) {
            return (group[i] - centre) * (group[i] - centre);
          });
    }
    // Multiplied by, though that errs in the last bit; the mean must not: its last bit
    // over 1e-4 is 1e-12 where all rewards are equal.
    for (double& each : scale) each = 1 / (std::sqrt(each * unbiased) + kEpsilon);
    for (std::int64_t g = 0; g < count; ++g) {
      const double* group = from + g * groups.size;
      double* result = to + g * groups.size;
      const double centre = middle[static_cast<std::size_t>(g)];
      const double factor = scale[static_cast<std::size_t>(g)];
      for (std::int64_t i = 0; i < groups.size; ++i) {
        result[i] = (group[i] - centre) * factor;
      }
    }
  }
}

}  // namespace

void ocr_rewards(const Texts& got, const Texts& want, double* out) {
  require_pairs(got, want);
  Vocabulary vocabulary;
  Aligner aligner;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    read_spaced_words(answer_block(got[i]), vocabulary, said);
    read_spaced_words(answer_block(want[i]), vocabulary, meant);
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
    words.read(answer_block(got[i]), said);
    words.read(answer_block(want[i]), meant);
    const std::int64_t common = aligner.common_subsequence(meant, said, words.size());
    const double one = runs.shared(said, meant, 1).f_measure;
    const double two = runs.shared(said, meant, 2).f_measure;
    const double longest = overlap(common, said.size(), meant.size()).f_measure;
    out[i] = std::min(1.0, (one + two + longest) / kParts);
  }
}

void temporal_rewards(const double* ordered, Groups groups, const double* shuffled,
                      std::int64_t n_shuffled, double* bonus, double* granted) {
  require_groups(groups, 1);
  require_groups({groups.count, n_shuffled}, 1);
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

void group_advantages(const double* rewards, Groups groups, double* out) {
  require_groups(groups, 2);
  write_advantages(rewards, groups, out);
}

void t_grpo(const GroupResults& results, Groups groups, double* rewards,
            double* advantages, double* granted) {
  constexpr double kImage = 0.5;
  require_groups(groups, 2);
  if (results.shuffled != nullptr)
    require_groups({groups.count, results.n_shuffled}, 1);
  const Size size(groups.size);
  const Size size_shuffled(results.n_shuffled);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const std::int64_t first = group * groups.size;
    const double* accuracy = results.accuracy + first;
    const double* form = results.form + first;
    double* to = rewards + first;
    double worth = 0;
    granted[group] = kImage;
    if (results.shuffled != nullptr) {
      const double* shuffled = results.shuffled + group * results.n_shuffled;
      const bool passed = keeps_up(mean(accuracy, groups.size, size),
                                   mean(shuffled, results.n_shuffled, size_shuffled));
      worth = passed ? kInOrder : 0;
      granted[group] = passed ? 1 : 0;
    }
    for (std::int64_t i = 0; i < groups.size; ++i) {
      const double bonus = accuracy[i] > kTried ? worth : 0;
      to[i] = accuracy[i] + bonus + form[i];
    }
    if (results.n_tokens != nullptr) {
      add_length_rewards(accuracy, results.n_tokens + first, groups.size, to);
    }
  }
  write_advantages(rewards, groups, advantages);
}

}  // namespace edgeval
