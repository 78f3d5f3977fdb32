#pragma once

#include <cstdint>

namespace edgeval {

/// Most clusters, columns and resamples of one bootstrap, each.
inline constexpr std::int64_t kMaxBootstrap = 16777216;

/// Column sums of `count` resamples of whole clusters, with replacement.
///
/// sums: [n_clusters, n_columns], each cluster's column sums; out: [count, n_columns],
/// row b the sum over n_clusters clusters drawn for resample `first` + b. A draw is a
/// function of (seed, resample, place) alone: any split of the resamples, on any
/// threads, gives the same rows. Throws ArgumentError unless n_clusters >= 1, n_columns
/// >= 1 and first, count >= 0.
void bootstrap_sums(const double* sums, std::int64_t n_clusters, std::int64_t n_columns,
                    std::uint64_t seed, std::int64_t first, std::int64_t count,
                    double* out);

/// Throws ArgumentError where bootstrap_sums would; for callers that allocate first.
void require_bootstrap(std::int64_t n_clusters, std::int64_t n_columns,
                       std::int64_t first, std::int64_t count);

}  // namespace edgeval
