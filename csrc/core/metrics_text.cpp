#include "core/metrics_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/error.hpp"
#include "core/metrics_words.hpp"

namespace edgeval {
namespace {

constexpr unsigned kHalf = 32;

/// How many elements two sorted lists share, counting repeats.
std::int64_t shared_count(const std::vector<std::uint64_t>& a,
                          const std::vector<std::uint64_t>& b) {
  std::int64_t shared = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    shared += static_cast<std::int64_t>(*x == *y);
    const bool step_x = *x <= *y;
    const bool step_y = *y <= *x;
    x += static_cast<std::ptrdiff_t>(step_x);
    y += static_cast<std::ptrdiff_t>(step_y);
  }
  return shared;
}

void write(const Overlap& found, double* out) {
  out[0] = found.precision;
  out[1] = found.recall;
  out[2] = found.f_measure;
}

}  // namespace

void require_pairs(const Texts& got, const Texts& want) {
  if (got.size() == want.size()) return;
  throw ArgumentError("texts: got " + std::to_string(got.size()) + " answers for " +
                      std::to_string(want.size()) + " references; wants as many");
}

Overlap overlap(std::int64_t shared, std::size_t got, std::size_t want) {
  const auto matched = static_cast<double>(shared);
  const double precision = matched / static_cast<double>(std::max<std::size_t>(got, 1));
  const double recall = matched / static_cast<double>(std::max<std::size_t>(want, 1));
  const double sum = precision + recall;
  return {precision, recall, sum > 0 ? 2 * precision * recall / sum : 0.0};
}

/// Makes every run one symbol longer: numbers the runs so far, equal ones alike, and
/// puts the symbol `by` places after the first behind.
void RunCounter::lengthen(const Symbols& got, const Symbols& want, std::size_t by) {
  known_ = got_;
  known_.insert(known_.end(), want_.begin(), want_.end());
  std::sort(known_.begin(), known_.end());
  known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
  const auto longer = [this, by](Keys& runs, const Symbols& symbols) {
    runs.resize(symbols.size() > by ? symbols.size() - by : 0);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto place = std::lower_bound(known_.begin(), known_.end(), runs[i]);
      const auto name = static_cast<std::uint64_t>(place - known_.begin());
      runs[i] = name << kHalf | static_cast<std::uint64_t>(symbols[i + by]);
    }
  };
  longer(got_, got);
  longer(want_, want);
}

Overlap RunCounter::shared(const Symbols& got, const Symbols& want, int order) {
  const auto first = [](Keys& runs, const Symbols& symbols, std::size_t length) {
    runs.resize(symbols.size() >= length ? symbols.size() - length + 1 : 0);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      runs[i] = static_cast<std::uint64_t>(symbols[i]);
      if (length == 2)
        runs[i] = runs[i] << kHalf | static_cast<std::uint64_t>(symbols[i + 1]);
    }
  };
  const std::size_t length = std::min(order, 2);
  first(got_, got, length);
  first(want_, want, length);
  for (std::size_t by = 2; by < static_cast<std::size_t>(order); ++by)
    lengthen(got, want, by);
  std::sort(got_.begin(), got_.end());
  std::sort(want_.begin(), want_.end());
  return overlap(shared_count(got_, want_), got_.size(), want_.size());
}

void word_error_rates(const Texts& got, const Texts& want, double* out) {
  require_pairs(got, want);
  Vocabulary vocabulary;
  Aligner aligner;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    read_spaced_words(got[i], vocabulary, said);
    read_spaced_words(want[i], vocabulary, meant);
    const std::int64_t distance = aligner.edit_distance(meant, said, vocabulary.size());
    out[i] = static_cast<double>(distance) /
             static_cast<double>(std::max<std::size_t>(meant.size(), 1));
  }
}

void rouge_n(const Texts& got, const Texts& want, int order, bool stem, double* out) {
  constexpr int kMaxOrder = 9;
  require_pairs(got, want);
  if (order < 1 || order > kMaxOrder) {
    throw ArgumentError("rouge_n: got order " + std::to_string(order) +
                        "; wants 1 to " + std::to_string(kMaxOrder));
  }
  RougeWords words(stem);
  RunCounter runs;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    words.read(got[i], said);
    words.read(want[i], meant);
    write(runs.shared(said, meant, order), out + 3 * i);
  }
}

void rouge_l(const Texts& got, const Texts& want, bool stem, double* out) {
  require_pairs(got, want);
  RougeWords words(stem);
  Aligner aligner;
  Symbols said;
  Symbols meant;
  for (std::size_t i = 0; i < got.size(); ++i) {
    words.read(got[i], said);
    words.read(want[i], meant);
    const std::int64_t shared = aligner.common_subsequence(meant, said, words.size());
    write(overlap(shared, said.size(), meant.size()), out + 3 * i);
  }
}

}  // namespace edgeval
