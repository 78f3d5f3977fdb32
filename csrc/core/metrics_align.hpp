#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Alignments of two lists of symbols, 64 cells of the textbook table at a time.
namespace edgeval {

/// Words of a text as numbers from 0.
using Symbols = std::vector<std::int32_t>;

/// Aligns pair after pair; the memory of one serves the next.
///
/// Throws ArgumentError where the table would have more than kMaxWords^2 cells.
class Aligner {
 public:
  /// Symbols to insert, delete or replace to make `pattern` of `text`; all below
  /// n_symbols. Source: Hyyro, "A bit-vector algorithm for computing Levenshtein and
  /// Damerau edit distances", Nordic Journal of Computing 10, 2003, after Myers (JACM
  /// 46, 1999).
  std::int64_t edit_distance(const Symbols& pattern, const Symbols& text,
                             std::size_t n_symbols);

  /// Length of the longest common subsequence; symbols below n_symbols.
  /// Source: Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004.
  std::int64_t common_subsequence(const Symbols& pattern, const Symbols& text,
                                  std::size_t n_symbols);

 private:
  void mark(const Symbols& pattern, std::size_t n_symbols);
  void unmark(const Symbols& pattern);
  std::size_t renumber(const Symbols& pattern, const Symbols& text,
                       std::size_t n_symbols);

  std::vector<std::uint64_t> marks_;   // Of a short pattern: places of each symbol.
  std::vector<std::int32_t> renamed_;  // Of a long one: 1 + new number, 0 for none.
  Symbols pattern_;                    // Both texts in the new numbers.
  Symbols text_;
};

}  // namespace edgeval
