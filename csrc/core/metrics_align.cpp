#include "core/metrics_align.hpp"

#include <algorithm>
#include <bitset>
#include <string>
#include <unordered_map>

#include "core/error.hpp"
#include "core/metrics.hpp"

namespace edgeval {
namespace {

using Word = std::uint64_t;

constexpr std::size_t kBits = 64;

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

std::int64_t long_edit_distance(const Symbols& pattern, const Symbols& text,
                                std::size_t n_symbols) {
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

std::int64_t long_common_subsequence(const Symbols& pattern, const Symbols& text,
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

void require_bounded(const Symbols& a, const Symbols& b) {
  if (a.empty() ||
      b.size() <= static_cast<std::size_t>(kMaxWords * kMaxWords) / a.size())
    return;
  throw ArgumentError("text: got " + std::to_string(a.size()) + " words against " +
                      std::to_string(b.size()) + "; wants at most " +
                      std::to_string(kMaxWords) + " of each, cut the answer");
}

}  // namespace

void Aligner::mark(const Symbols& pattern, std::size_t n_symbols) {
  if (marks_.size() < n_symbols) marks_.resize(2 * n_symbols, 0);
  for (std::size_t place = 0; place < pattern.size(); ++place) {
    marks_[static_cast<std::size_t>(pattern[place])] |= Word{1} << place;
  }
}

void Aligner::unmark(const Symbols& pattern) {
  for (const std::int32_t symbol : pattern)
    marks_[static_cast<std::size_t>(symbol)] = 0;
}

/// Numbers the symbols of `pattern` from 0 and gives the others the number after them,
/// so that a long pattern costs nothing for the words of the rest of the batch.
std::size_t Aligner::renumber(const Symbols& pattern, const Symbols& text,
                              std::size_t n_symbols) {
  if (renamed_.size() < n_symbols) renamed_.resize(2 * n_symbols, 0);
  std::int32_t count = 0;
  pattern_.clear();
  text_.clear();
  for (const std::int32_t symbol : pattern) {
    std::int32_t& name = renamed_[static_cast<std::size_t>(symbol)];
    if (name == 0) name = ++count;
    pattern_.push_back(name - 1);
  }
  for (const std::int32_t symbol : text) {
    const std::int32_t name = renamed_[static_cast<std::size_t>(symbol)];
    text_.push_back(name == 0 ? count : name - 1);
  }
  for (const std::int32_t symbol : pattern)
    renamed_[static_cast<std::size_t>(symbol)] = 0;
  return static_cast<std::size_t>(count) + 1;
}

std::int64_t Aligner::edit_distance(const Symbols& pattern, const Symbols& text,
                                    std::size_t n_symbols) {
  require_bounded(pattern, text);
  if (pattern.empty()) return static_cast<std::int64_t>(text.size());
  if (pattern.size() > kBits) {
    const std::size_t count = renumber(pattern, text, n_symbols);
    return long_edit_distance(pattern_, text_, count);
  }
  mark(pattern, n_symbols);
  Column column;
  auto distance = static_cast<std::int64_t>(pattern.size());
  for (const std::int32_t symbol : text) {
    distance += advance(column, marks_[static_cast<std::size_t>(symbol)], 1,
                        pattern.size() - 1);
  }
  unmark(pattern);
  return distance;
}

std::int64_t Aligner::common_subsequence(const Symbols& pattern, const Symbols& text,
                                         std::size_t n_symbols) {
  require_bounded(pattern, text);
  if (pattern.size() > kBits) {
    const std::size_t count = renumber(pattern, text, n_symbols);
    return long_common_subsequence(pattern_, text_, count);
  }
  mark(pattern, n_symbols);
  Word open = ~Word{0};
  for (const std::int32_t symbol : text) {
    const Word matched = open & marks_[static_cast<std::size_t>(symbol)];
    open = (open + matched) | (open & ~matched);
  }
  unmark(pattern);
  // A place past the pattern is never matched, so it stays open.
  return static_cast<std::int64_t>(std::bitset<kBits>(~open).count());
}

}  // namespace edgeval
