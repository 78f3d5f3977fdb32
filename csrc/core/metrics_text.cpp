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
#include "core/metrics_stem.hpp"

namespace edgeval {
namespace {

using Symbols = std::vector<std::int32_t>;
using Word = std::uint64_t;

constexpr std::size_t kBits = 64;

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

/// For a symbol, the bit set of places where it stands in a pattern.
///
/// A symbol that fills more than 1/64 of the pattern has its own row; the others are
/// painted into one shared row when asked for. So memory is linear in the pattern, and
/// painting never costs more than reading the row.
class Places {
 public:
  Places(const Symbols& pattern, std::size_t n_symbols)
      : n_words_((pattern.size() + kBits - 1) / kBits),
        starts_(n_symbols + 1, 0),
        places_(pattern.size()),
        shared_(n_words_, 0) {
    for (const std::int32_t symbol : pattern) ++starts_[index(symbol) + 1];
    for (std::size_t s = 0; s < n_symbols; ++s) starts_[s + 1] += starts_[s];
    std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1);
    for (std::size_t place = 0; place < pattern.size(); ++place) {
      places_[next[index(pattern[place])]++] = place;
    }
    for (std::size_t s = 0; s < n_symbols; ++s) {
      if (starts_[s + 1] - starts_[s] > n_words_) {
        std::vector<Word>& row = own_[static_cast<std::int32_t>(s)];
        row.assign(n_words_, 0);
        paint(row, s);
      }
    }
  }

  std::size_t n_words() const { return n_words_; }

  /// Valid until the next call.
  const std::vector<Word>& row(std::int32_t symbol) {
    const auto own = own_.find(symbol);
    if (own != own_.end()) return own->second;
    for (std::size_t i = starts_[painted_]; i < starts_[painted_ + 1]; ++i) {
      shared_[places_[i] / kBits] = 0;
    }
    painted_ = index(symbol);
    paint(shared_, painted_);
    return shared_;
  }

 private:
  static std::size_t index(std::int32_t symbol) {
    return static_cast<std::size_t>(symbol);
  }

  void paint(std::vector<Word>& row, std::size_t symbol) const {
    for (std::size_t i = starts_[symbol]; i < starts_[symbol + 1]; ++i) {
      row[places_[i] / kBits] |= Word{1} << (places_[i] % kBits);
    }
  }

  std::size_t n_words_;
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> places_;
  std::vector<Word> shared_;
  std::size_t painted_ = 0;
  std::unordered_map<std::int32_t, std::vector<Word>> own_;
};

/// One column of 64 rows of the edit-distance table as +1/-1 steps between them.
struct Column {
  Word up = ~Word{0};
  Word down = 0;
};

/// Advances `column` by one symbol; `carry` is the step at its top, returned the one at
/// `exit`. Source: Hyyro, "A bit-vector algorithm for computing Levenshtein and Damerau
/// edit distances", Nordic Journal of Computing 10, 2003, after Myers (JACM 46, 1999).
int advance(Column& column, Word equal, int carry, std::size_t exit) {
  const Word diagonal_down = equal | column.down;
  if (carry < 0) equal |= 1;
  const Word across = (((equal & column.up) + column.up) ^ column.up) | equal;
  Word plus = column.down | ~(across | column.up);
  Word minus = column.up & across;
  const int out =
      static_cast<int>((plus >> exit) & 1) - static_cast<int>((minus >> exit) & 1);
  plus = (plus << 1) | static_cast<Word>(carry > 0);
  minus = (minus << 1) | static_cast<Word>(carry < 0);
  column.up = minus | ~(diagonal_down | plus);
  column.down = plus & diagonal_down;
  return out;
}

std::int64_t edit_distance(const Symbols& pattern, const Symbols& text,
                           std::size_t n_symbols) {
  if (pattern.empty()) return static_cast<std::int64_t>(text.size());
  Places places(pattern, n_symbols);
  std::vector<Column> columns(places.n_words());
  auto distance = static_cast<std::int64_t>(pattern.size());
  for (const std::int32_t symbol : text) {
    const std::vector<Word>& row = places.row(symbol);
    int carry = 1;
    for (std::size_t word = 0; word < columns.size(); ++word) {
      const bool last = word + 1 == columns.size();
      const std::size_t exit = last ? (pattern.size() - 1) % kBits : kBits - 1;
      carry = advance(columns[word], row[word], carry, exit);
    }
    distance += carry;
  }
  return distance;
}

/// Length of the longest common subsequence, 64 cells of the table at a time.
/// Source: Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004.
std::int64_t common_subsequence(const Symbols& pattern, const Symbols& text,
                                std::size_t n_symbols) {
  Places places(pattern, n_symbols);
  std::vector<Word> open(places.n_words(), ~Word{0});
  for (const std::int32_t symbol : text) {
    const std::vector<Word>& row = places.row(symbol);
    Word carry = 0;
    for (std::size_t word = 0; word < open.size(); ++word) {
      const Word matched = open[word] & row[word];
      const Word half = open[word] + matched;
      const Word sum = half + carry;
      carry = static_cast<Word>(half < matched) | static_cast<Word>(sum < half);
      open[word] = sum | (open[word] & ~matched);
    }
  }
  std::int64_t length = 0;
  for (std::size_t place = 0; place < pattern.size(); ++place) {
    length += static_cast<std::int64_t>(~(open[place / kBits] >> (place % kBits)) & 1);
  }
  return length;
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
