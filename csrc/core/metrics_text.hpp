#pragma once

#include <cstdint>
#include <vector>

#include "core/metrics.hpp"
#include "core/metrics_align.hpp"

/// What text kernels share: checks and counts of words that two texts have in common.
namespace edgeval {

/// Precision, recall and F-measure of what two texts share.
struct Overlap {
  double precision;
  double recall;
  double f_measure;
};

/// Throws ArgumentError unless there are as many answers as references.
void require_pairs(const Texts& got, const Texts& want);

/// `shared` out of `got` and `want`, 0 where nothing is, in rouge_score's arithmetic.
Overlap overlap(std::int64_t shared, std::size_t got, std::size_t want);

/// Counts the runs of symbols that two texts share; the memory of one pair serves the
/// next.
class RunCounter {
 public:
  /// Runs of `order` >= 1 symbols, repeats counted.
  Overlap shared(const Symbols& got, const Symbols& want, int order);

 private:
  using Keys = std::vector<std::uint64_t>;

  void lengthen(const Symbols& got, const Symbols& want, std::size_t by);

  Keys got_;  // A run: what numbers all but its last symbol, then that symbol.
  Keys want_;
  Keys known_;
};

}  // namespace edgeval
