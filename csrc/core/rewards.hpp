#pragma once

#include <cstdint>

#include "core/metrics.hpp"

/// Training rewards of Video-R1 and group advantages, a batch in one call.
///
/// Source: Video-R1@59d65c34, src/r1-v/src/open_r1: grpo.py (rewards of answers) and
/// its trainer (rewards of groups and advantages, there in float32, here in float64).
namespace edgeval {

/// 1 less the word error rate, at least 0; words as in word_error_rates. out: [n].
///
/// got: what models wrote, want: solutions; of both the first closed <answer> block
/// counts, nothing without one. Throws ArgumentError for lists of unequal length, and
/// for two answers too long to be aligned unless their lengths alone say 0.
void ocr_rewards(const Texts& got, const Texts& want, double* out);

/// The mean of the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, with stems. out: [n].
///
/// got, want: as in ocr_rewards. Throws ArgumentError for lists of unequal length or
/// answers too long to be aligned.
void free_form_rewards(const Texts& got, const Texts& want, double* out);

/// Groups of `size` completions each, one group after the other.
struct Groups {
  std::int64_t count;
  std::int64_t size;
};

/// What frames in order are worth: where the mean accuracy of a group is at least 0.8
/// of that on shuffled frames, 0.3 more for every completion with accuracy above 0.1.
///
/// ordered: [groups.count, groups.size]; shuffled: [groups.count, n_shuffled]; bonus:
/// as ordered; granted: [groups.count], 1 where the group passed, else 0. Throws
/// ArgumentError for groups of none.
void temporal_rewards(const double* ordered, Groups groups, const double* shuffled,
                      std::int64_t n_shuffled, double* bonus, double* granted);

/// (reward - mean) / (standard deviation + 1e-4) in each group, the deviation with
/// size - 1 below the line.
///
/// rewards, out: [groups.count, groups.size]. Throws ArgumentError for groups of less
/// than 2.
void group_advantages(const double* rewards, Groups groups, double* out);

/// What T-GRPO knows of its groups: [groups.count, groups.size] each, but `shuffled`.
struct GroupResults {
  const double* accuracy;  // On ordered frames.
  const double* form;      // The format reward.
  const double* shuffled;  // Accuracy on shuffled frames, or null for images.
  std::int64_t n_shuffled;
  const std::int64_t* n_tokens;  // Of each completion, or null for no length reward.
};

/// Sums a completion's rewards up, then takes the group's advantages, in one pass.
///
/// A reward is accuracy, temporal bonus and form; 0.2 more for 320 to 512 tokens with
/// accuracy above 0.1 where two of the group have that. rewards, advantages:
/// [groups.count, groups.size]; granted as in temporal_rewards, 0.5 for images. Throws
/// ArgumentError for groups of less than 2, or none shuffled.
void t_grpo(const GroupResults& results, Groups groups, double* rewards,
            double* advantages, double* granted);

}  // namespace edgeval
