#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics_align.hpp"

/// Texts as lists of numbers, equal words with equal numbers, over a whole batch.
namespace edgeval {

/// Gives every distinct word a number, in order of appearance.
///
/// A table of its own, because std::unordered_map keeps every word in a node of its own
/// and costs three times as much.
class Vocabulary {
 public:
  std::int32_t number(std::string_view word);
  [[nodiscard]] std::size_t size() const { return words_.size(); }

 private:
  struct Word {
    std::size_t begin;  // In letters_.
    std::size_t length;
    std::uint64_t hash;
  };
  struct Slot {
    std::uint32_t check = 0;   // The upper half of the word's hash.
    std::int32_t number = -1;  // None.
  };

  [[nodiscard]] std::string_view spelled(std::int32_t number) const;
  void grow();

  std::string letters_;
  std::vector<Word> words_;
  std::vector<Slot> slots_;  // A power of two of them, at most half of them taken.
};

/// The words of UTF-8 `text` as Python's str.split() has them; `symbols` is
/// overwritten. Throws ArgumentError for more than 2^31 - 1.
void read_spaced_words(std::string_view text, Vocabulary& vocabulary, Symbols& symbols);

/// Reads words as ROUGE has them: runs of a-z and 0-9 of the text in lower case, those
/// over 3 letters cut to their stem. Source: google-research rouge_score (tokenize.py).
class RougeWords {
 public:
  explicit RougeWords(bool stem) : stem_(stem) {}

  /// The words of UTF-8 `text`; `symbols` is overwritten. Throws ArgumentError for more
  /// than 2^31 - 1.
  void read(std::string_view text, Symbols& symbols);
  /// All symbols read so far are below.
  [[nodiscard]] std::size_t size() const { return stems_.size(); }

 private:
  void end_word(Symbols& symbols);

  bool stem_;
  std::string word_;
  Vocabulary spelled_;
  Vocabulary stems_;
  std::vector<std::int32_t> stem_of_;  // Of each spelled word: each is stemmed once.
};

}  // namespace edgeval
