#include "core/metrics.hpp"

#include <algorithm>
#include <string>

#include "core/batch.hpp"
#include "core/error.hpp"

namespace edgeval {
void mean_relative_accuracy_float64(const double* got, const double* want,
                                    std::int64_t n, double* out) {
  if (!batch::kernels().accuracy_float64(got, want, n, out)) {
    throw ArgumentError(
        "mean relative accuracy: got want=0; the error relative to 0 is undefined, "
        "leave the question out");
  }
}

void mean_relative_accuracy_float32(const double* got, const double* want,
                                    std::int64_t n, double* out) {
  batch::kernels().accuracy_float32(got, want, n, out);
}

void tally(const std::int64_t* groups, const std::int64_t* classes, std::int64_t n,
           std::int64_t n_groups, std::int64_t n_classes, std::int64_t* out) {
  std::fill(out, out + n_groups * n_classes, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    if (groups[i] < 0 || groups[i] >= n_groups || classes[i] < 0 ||
        classes[i] >= n_classes) {
      throw ArgumentError("tally: got group " + std::to_string(groups[i]) + ", class " +
                          std::to_string(classes[i]) + "; wants below " +
                          std::to_string(n_groups) + " and " +
                          std::to_string(n_classes));
    }
    ++out[groups[i] * n_classes + classes[i]];
  }
}

}  // namespace edgeval
