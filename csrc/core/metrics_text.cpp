#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/metrics.hpp"
#include "core/metrics_align.hpp"
#include "core/metrics_stem.hpp"

namespace edgeval {
namespace {

/// Gives every distinct word of a pair of texts a number, in order of appearance.
class Vocabulary {
 public:
  std::int32_t number(std::string word) {
    const auto next = static_cast<std::int32_t>(numbers_.size());
    return numbers_.emplace(std::move(word), next).first->second;
  }
  std::size_t size() const { return numbers_.size(); }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
};

void add(Symbols& symbols, std::int32_t symbol) {
  if (symbols.size() == static_cast<std::size_t>(kMaxWords)) {
    throw ArgumentError("text: got more than " + std::to_string(kMaxWords) +
                        " words; cut the answer");
  }
  symbols.push_back(symbol);
}

/// The words of `text` for which `inside` holds on every byte, each through `spell`.
template <typename Inside, typename Spell>
Symbols numbered(const std::string& text, Vocabulary& vocabulary, const Inside& inside,
                 const Spell& spell) {
  Symbols symbols;
  for (auto from = text.begin(); from != text.end();) {
    const auto begin = std::find_if(from, text.end(), inside);
    const auto end = std::find_if_not(begin, text.end(), inside);
    if (begin != end) add(symbols, vocabulary.number(spell(std::string(begin, end))));
    from = end;
  }
  return symbols;
}

Symbols spaced_words(const std::string& text, Vocabulary& vocabulary) {
  return numbered(
      text, vocabulary, [](char c) { return c != ' '; },
      [](std::string word) { return word; });
}

/// rouge_score/tokenize.py: runs of a-z0-9; words over 3 letters stemmed.
Symbols rouge_words(const std::string& text, Vocabulary& vocabulary, bool stem) {
  return numbered(
      text, vocabulary,
      [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); },
      [stem](std::string word) {
        return stem && word.size() > 3 ? porter_stem(std::move(word)) : word;
      });
}

using Pairs = std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t>;

/// Numbers for the runs of `order` symbols, sorted: equal runs have equal numbers. A
/// run is numbered as the pair (run without its last symbol, last symbol).
Symbols sorted_runs(const Symbols& symbols, int order, Pairs& known) {
  Symbols runs = symbols;
  for (std::size_t before = 1; before < static_cast<std::size_t>(order); ++before) {
    const std::size_t count = symbols.size() > before ? symbols.size() - before : 0;
    runs.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto next = static_cast<std::int32_t>(known.size());
      runs[i] =
          known.emplace(std::pair(runs[i], symbols[i + before]), next).first->second;
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

/// How many elements two sorted lists share, counting repeats.
std::int64_t shared_count(const Symbols& a, const Symbols& b) {
  Symbols shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                        std::back_inserter(shared));
  return static_cast<std::int64_t>(shared.size());
}

/// Precision, recall and F of `shared` out of `got` and `want`, as rouge_score rounds
/// them.
void write_overlap(std::int64_t shared, std::size_t got, std::size_t want,
                   double* out) {
  const auto matched = static_cast<double>(shared);
  const double precision = matched / static_cast<double>(std::max<std::size_t>(got, 1));
  const double recall = matched / static_cast<double>(std::max<std::size_t>(want, 1));
  const double sum = precision + recall;
  out[0] = precision;
  out[1] = recall;
  out[2] = sum > 0 ? 2 * precision * recall / sum : 0.0;
}

void require_pairs(std::size_t got, std::size_t want) {
  if (got == want) return;
  throw ArgumentError("texts: got " + std::to_string(got) + " answers for " +
                      std::to_string(want) + " references; wants as many");
}

}  // namespace

void word_error_rates(const std::vector<std::string>& got,
                      const std::vector<std::string>& want, double* out) {
  require_pairs(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    Vocabulary vocabulary;
    const Symbols said = spaced_words(got[i], vocabulary);
    const Symbols meant = spaced_words(want[i], vocabulary);
    const std::int64_t distance = edit_distance(meant, said, vocabulary.size());
    out[i] = static_cast<double>(distance) /
             static_cast<double>(std::max<std::size_t>(meant.size(), 1));
  }
}

void rouge_n(const std::vector<std::string>& got, const std::vector<std::string>& want,
             int order, bool stem, double* out) {
  constexpr int kMaxOrder = 9;
  require_pairs(got.size(), want.size());
  if (order < 1 || order > kMaxOrder) {
    throw ArgumentError("rouge_n: got order " + std::to_string(order) +
                        "; wants 1 to " + std::to_string(kMaxOrder));
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    Vocabulary vocabulary;
    Pairs known;
    const Symbols said =
        sorted_runs(rouge_words(got[i], vocabulary, stem), order, known);
    const Symbols meant =
        sorted_runs(rouge_words(want[i], vocabulary, stem), order, known);
    write_overlap(shared_count(said, meant), said.size(), meant.size(), out + 3 * i);
  }
}

void rouge_l(const std::vector<std::string>& got, const std::vector<std::string>& want,
             bool stem, double* out) {
  require_pairs(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    Vocabulary vocabulary;
    const Symbols said = rouge_words(got[i], vocabulary, stem);
    const Symbols meant = rouge_words(want[i], vocabulary, stem);
    const std::int64_t shared = common_subsequence(meant, said, vocabulary.size());
    write_overlap(shared, said.size(), meant.size(), out + 3 * i);
  }
}

}  // namespace edgeval
