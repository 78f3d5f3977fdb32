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

double mean(const double* values, std::int64_t n, const Size& size) {
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
  const double worth = tried > 1 ? kBonus : 0;
  // Multiplied, because a jump costs more: to the processor it is as good as random
  // which lengths are wanted.
  for (std::int64_t i = 0; i < n; ++i) {
    const double right = accuracy[i] > kTried ? worth : 0.0;
    const std::uint64_t past = static_cast<std::uint64_t>(n_tokens[i]) - kLeast;
    rewards[i] += static_cast<double>(past <= kRange) * right;
  }
}

/// The advantages of one group; `unbiased` is 1 over one less than its size.
void write_advantages(const double* rewards, std::int64_t n, const Size& size,
                      double unbiased, double* out) {
  constexpr double kEpsilon = 1e-4;
  const double middle = mean(rewards, n, size);
  const double squares = sum(n, [rewards, middle](std::int64_t i) {
    return (rewards[i] - middle) * (rewards[i] - middle);
  });
  // Multiplied by, though that errs in the last bit; the mean must not: its last bit
  // over 1e-4 is 1e-12 where all rewards are equal.
  const double scale = 1 / (std::sqrt(squares * unbiased) + kEpsilon);
  for (std::int64_t i = 0; i < n; ++i) out[i] = (rewards[i] - middle) * scale;
}

double unbiased_share(Groups groups) {
  require_groups(groups, 2);
  return 1 / static_cast<double>(groups.size - 1);
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
  const double unbiased = unbiased_share(groups);
  const Size size(groups.size);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const std::int64_t first = group * groups.size;
    write_advantages(rewards + first, groups.size, size, unbiased, out + first);
  }
}

void t_grpo(const GroupResults& results, Groups groups, double* rewards,
            double* advantages, double* granted) {
  constexpr double kImage = 0.5;
  const double unbiased = unbiased_share(groups);
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
    write_advantages(to, groups.size, size, unbiased, advantages + first);
  }
}

}  // namespace edgeval
