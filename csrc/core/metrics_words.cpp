#include "core/metrics_words.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "core/metrics_stem.hpp"

namespace edgeval {
namespace {

void add(Symbols& symbols, std::int32_t symbol) {
  constexpr std::size_t kMax = std::numeric_limits<std::int32_t>::max();
  if (symbols.size() == kMax) {
    throw ArgumentError("text: got more than " + std::to_string(kMax) +
                        " words; cut the answer");
  }
  symbols.push_back(symbol);
}

template <typename Whole>
std::uint64_t load(const char* from) {
  Whole whole = 0;
  std::memcpy(&whole, from, sizeof(Whole));
  return whole;
}

/// Up to eight bytes as one number; those in the middle may count twice.
std::uint64_t packed(const char* from, std::size_t size) {
  constexpr std::size_t kHalf = sizeof(std::uint32_t);
  if (size >= kHalf) {
    return load<std::uint32_t>(from) << 32U | load<std::uint32_t>(from + size - kHalf);
  }
  return load<std::uint8_t>(from) << 16U | load<std::uint8_t>(from + size / 2) << 8U |
         load<std::uint8_t>(from + size - 1);
}

/// Eight bytes at a time, each round a multiplication whose high half is folded back.
/// The constant is 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4).
std::uint64_t hashed(std::string_view word) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
  constexpr std::size_t kBytes = sizeof(std::uint64_t);
  std::uint64_t hash = word.size();
  const auto fold = [&hash](std::uint64_t piece) {
    hash = (hash ^ piece) * kGolden;
    hash ^= hash >> 32U;
  };
  std::size_t at = 0;
  for (; at + kBytes <= word.size(); at += kBytes) {
    fold(load<std::uint64_t>(word.data() + at));
  }
  if (at < word.size()) fold(packed(word.data() + at, word.size() - at));
  return hash;
}

bool has(std::string_view text, std::size_t at, std::string_view bytes) {
  return text.compare(at, bytes.size(), bytes) == 0;
}

/// Bytes of the white space that begins at `at`, 0 where none does: what Python's
/// str.isspace() holds for, in UTF-8.
std::size_t space_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) {
    const bool space = first == ' ' || (first >= 0x09 && first <= 0x0D) ||
                       (first >= 0x1C && first <= 0x1F);
    return space ? 1 : 0;
  }
  if (first == 0xC2)
    return has(text, at, "\xC2\x85") || has(text, at, "\xC2\xA0") ? 2 : 0;
  if (first == 0xE1) return has(text, at, "\xE1\x9A\x80") ? 3 : 0;
  if (first == 0xE3) return has(text, at, "\xE3\x80\x80") ? 3 : 0;
  if (has(text, at, "\xE2\x81\x9F")) return 3;
  if (!has(text, at, "\xE2\x80") || at + 2 >= text.size()) return 0;
  const auto last = static_cast<unsigned char>(text[at + 2]);
  const bool space = last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF;
  return space ? 3 : 0;
}

}  // namespace

std::int32_t Vocabulary::number(std::string_view word) {
  if (2 * words_.size() >= slots_.size()) grow();
  const std::uint64_t hash = hashed(word);
  const auto check = static_cast<std::uint32_t>(hash >> 32U);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  for (; slots_[slot].number >= 0; slot = (slot + 1) & mask) {
    if (slots_[slot].check == check && spelled(slots_[slot].number) == word) {
      return slots_[slot].number;
    }
  }
  slots_[slot] = {check, static_cast<std::int32_t>(words_.size())};
  words_.push_back({letters_.size(), word.size(), hash});
  letters_ += word;
  return slots_[slot].number;
}

std::string_view Vocabulary::spelled(std::int32_t number) const {
  const Word& word = words_[static_cast<std::size_t>(number)];
  return {letters_.data() + word.begin, word.length};
}

void Vocabulary::grow() {
  constexpr std::size_t kFirst = 64;
  slots_.assign(slots_.empty() ? kFirst : 2 * slots_.size(), Slot{});
  const std::size_t mask = slots_.size() - 1;
  std::int32_t next = 0;
  for (const Word& word : words_) {
    std::size_t slot = word.hash & mask;
    while (slots_[slot].number >= 0) slot = (slot + 1) & mask;
    slots_[slot] = {static_cast<std::uint32_t>(word.hash >> 32U), next++};
  }
}

void read_spaced_words(std::string_view text, Vocabulary& vocabulary,
                       Symbols& symbols) {
  symbols.clear();
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t space = space_length(text, at);
    if (space == 0) {
      ++at;
      continue;
    }
    if (at > begin) add(symbols, vocabulary.number(text.substr(begin, at - begin)));
    at += space;
    begin = at;
  }
  if (text.size() > begin) add(symbols, vocabulary.number(text.substr(begin)));
}

void RougeWords::read(std::string_view text, Symbols& symbols) {
  symbols.clear();
  word_.clear();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word_ += c;
    } else if (c >= 'A' && c <= 'Z') {
      word_ += static_cast<char>(c - 'A' + 'a');
    } else if (has(text, at, "\xE2\x84\xAA")) {
      // The Kelvin sign is the one other character with a plain letter for lower case.
      word_ += 'k';
      at += 2;
    } else {
      // And the dotted capital I becomes an i with a dot of its own, which ends the
      // word.
      if (has(text, at, "\xC4\xB0")) word_ += 'i';
      end_word(symbols);
    }
  }
  end_word(symbols);
}

void RougeWords::end_word(Symbols& symbols) {
  if (word_.empty()) return;
  const auto spelled = static_cast<std::size_t>(spelled_.number(word_));
  if (spelled == stem_of_.size()) {
    const bool cut = stem_ && word_.size() > 3;
    stem_of_.push_back(stems_.number(cut ? porter_stem(word_) : word_));
  }
  add(symbols, stem_of_[spelled]);
  word_.clear();
}

}  // namespace edgeval
