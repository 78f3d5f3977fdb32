#include "core/bootstrap.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"

namespace edgeval {

void require_bootstrap(std::int64_t n_clusters, std::int64_t n_columns,
                       std::int64_t first, std::int64_t count) {
  const bool sizes = n_clusters >= 1 && n_clusters <= kMaxBootstrap && n_columns >= 1 &&
                     n_columns <= kMaxBootstrap;
  const bool range = first >= 0 && first <= kMaxBootstrap && count >= 0 &&
                     count <= kMaxBootstrap / std::max<std::int64_t>(n_columns, 1);
  if (sizes && range) return;
  throw ArgumentError("bootstrap: got " + std::to_string(n_clusters) + " clusters, " +
                      std::to_string(n_columns) + " columns, resamples " +
                      std::to_string(first) + " + " + std::to_string(count) +
                      "; wants 1 or more of each and resamples times columns at most " +
                      std::to_string(kMaxBootstrap));
}

void bootstrap_sums(const double* sums, std::int64_t n_clusters, std::int64_t n_columns,
                    std::uint64_t seed, std::int64_t first, std::int64_t count,
                    double* out) {
  require_bootstrap(n_clusters, n_columns, first, count);
  const auto clusters = static_cast<std::uint64_t>(n_clusters);
  std::fill(out, out + count * n_columns, 0.0);
  for (std::int64_t b = 0; b < count; ++b) {
    double* row = out + b * n_columns;
    const auto resample = static_cast<std::uint64_t>(first + b);
    for (std::int64_t place = 0; place < n_clusters; place += 2) {
      const auto words = random_words(seed, Draws::kBootstrap, resample,
                                      static_cast<std::uint32_t>(place / 2));
      for (std::int64_t half = 0; half < std::min<std::int64_t>(2, n_clusters - place);
           ++half) {
        const std::uint64_t word = words[static_cast<std::size_t>(half)];
        const double* drawn =
            sums + static_cast<std::int64_t>(scaled_below(word, clusters)) * n_columns;
        for (std::int64_t column = 0; column < n_columns; ++column) {
          row[column] += drawn[column];
        }
      }
    }
  }
}

}  // namespace edgeval
