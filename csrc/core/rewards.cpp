#include "core/rewards.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/batch.hpp"
#include "core/error.hpp"
#include "core/metrics_align.hpp"
#include "core/metrics_text.hpp"
#include "core/metrics_words.hpp"

namespace edgeval {
namespace {

void require_groups(Groups groups, std::int64_t least) {
  if (groups.size >= least) return;
  throw ArgumentError("rewards: got groups of " + std::to_string(groups.size) +
                      "; wants at least " + std::to_string(least) +
                      " completions each");
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
  batch::kernels().temporal(ordered, groups, shuffled, n_shuffled, bonus, granted);
}

void group_advantages(const double* rewards, Groups groups, double* out) {
  require_groups(groups, 2);
  batch::kernels().advantages(rewards, groups, out);
}

void t_grpo(const GroupResults& results, Groups groups, double* rewards,
            double* advantages, double* granted) {
  require_groups(groups, 2);
  if (results.shuffled != nullptr)
    require_groups({groups.count, results.n_shuffled}, 1);
  batch::kernels().t_grpo(results, groups, rewards, advantages, granted);
}

}  // namespace edgeval
