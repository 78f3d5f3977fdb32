#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

/// Kernels behind scores: every one is a batch over n answers, writes to memory of the
/// caller and repeats its source's arithmetic to the last bit.
namespace edgeval {

/// Answers or references, in UTF-8; any bytes will do.
using Texts = std::vector<std::string_view>;

/// Two texts are aligned if the product of their words is at most the square of this:
/// two such texts take about 10 s, which bounds what one hostile answer costs.
inline constexpr std::int64_t kMaxWords = 262144;

/// Share of the ten thresholds 0.50 .. 0.95 with |got - want| / want <= 1 - threshold.
///
/// got, want, out: [n]. NaN or infinite `got` is worth 0; a negative `want` divides as
/// it is, so everything passes, as in the source. Throws ArgumentError for want = 0,
/// where the source divides by zero. Source: thinking-in-space@51e089c3
/// (lmms_eval/tasks/vsibench). The thresholds are numpy's linspace, not 0.50 + 0.05 *
/// i: the last bit decides 9 or 10.
void mean_relative_accuracy_float64(const double* got, const double* want,
                                    std::int64_t n, double* out);

/// The same with `<`, in float32, with |want| + 1e-8 below the line.
///
/// got, want, out: [n]; the result is float32(count / 10) widened, as torch's mean
/// gives it. Source: Video-R1@59d65c34 src/eval_bench.py (mean_relative_accuracy).
void mean_relative_accuracy_float32(const double* got, const double* want,
                                    std::int64_t n, double* out);

/// Words inserted, deleted or replaced to make `want` of `got`, over max(1, words in
/// want).
///
/// Words stand between white space of any script; case counts. out: [n]. Throws
/// ArgumentError for lists of unequal length or texts too long to be aligned. Source:
/// Video-R1@59d65c34 src/r1-v/src/open_r1/grpo.py (wer).
void word_error_rates(const Texts& got, const Texts& want, double* out);

/// Precision, recall and F-measure of shared n-grams; out: [n, 3], 0 where nothing
/// overlaps.
///
/// Words are runs of a-z and 0-9 in lower case, those over 3 letters stemmed when
/// `stem`. Throws ArgumentError for lists of unequal length or `order` outside 1 .. 9.
/// Source: google-research rouge_score (rouge_scorer.py).
void rouge_n(const Texts& got, const Texts& want, int order, bool stem, double* out);

/// The same for the longest common subsequence of words instead of n-grams (rougeL);
/// throws ArgumentError for texts too long to be aligned, too.
void rouge_l(const Texts& got, const Texts& want, bool stem, double* out);

/// How many of n answers fall into each (group, class); exact, in integers.
///
/// groups, classes: [n], from 0; out: [n_groups, n_classes], overwritten.
/// Throws ArgumentError for an index outside.
void tally(const std::int64_t* groups, const std::int64_t* classes, std::int64_t n,
           std::int64_t n_groups, std::int64_t n_classes, std::int64_t* out);

}  // namespace edgeval
