#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Alignments of two lists of symbols, 64 cells of the textbook table at a time.
namespace edgeval {

/// Words of a text as numbers from 0.
using Symbols = std::vector<std::int32_t>;

/// Symbols to insert, delete or replace to make `pattern` of `text`; all below
/// n_symbols. Source: Hyyro, "A bit-vector algorithm for computing Levenshtein and
/// Damerau edit distances", Nordic Journal of Computing 10, 2003, after Myers (JACM 46,
/// 1999).
std::int64_t edit_distance(const Symbols& pattern, const Symbols& text,
                           std::size_t n_symbols);

/// Length of the longest common subsequence; symbols below n_symbols.
/// Source: Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004.
std::int64_t common_subsequence(const Symbols& pattern, const Symbols& text,
                                std::size_t n_symbols);

}  // namespace edgeval
