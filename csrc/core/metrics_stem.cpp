#include "core/metrics_stem.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace edgeval {
namespace {

using Text = std::string_view;

bool ends_with(Text word, Text suffix) {
  return word.size() >= suffix.size() &&
         word.substr(word.size() - suffix.size()) == suffix;
}

Text without(Text word, std::size_t letters) {
  return word.substr(0, word.size() - letters);
}

/// Which letters are consonants: not a vowel, and not a y after a consonant.
std::vector<bool> consonants(Text word) {
  std::vector<bool> flags(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool vowel = Text("aeiou").find(word[i]) != Text::npos;
    flags[i] = !vowel && (word[i] != 'y' || i == 0 || !flags[i - 1]);
  }
  return flags;
}

/// Porter's m: how often a vowel is followed by a consonant.
int measure(Text stem) {
  const std::vector<bool> flags = consonants(stem);
  int count = 0;
  for (std::size_t i = 1; i < flags.size(); ++i) {
    if (!flags[i - 1] && flags[i]) ++count;
  }
  return count;
}

bool has_vowel(Text stem) {
  const std::vector<bool> flags = consonants(stem);
  return std::find(flags.begin(), flags.end(), false) != flags.end();
}

bool ends_in_double_consonant(Text word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] &&
         consonants(word).back();
}

/// Consonant, vowel, consonant other than w, x, y; NLTK also takes a word of vowel,
/// consonant.
bool ends_short(Text word) {
  const std::size_t n = word.size();
  const std::vector<bool> flags = consonants(word);
  if (n == 2) return !flags[0] && flags[1];
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] &&
         Text("wxy").find(word.back()) == Text::npos;
}

struct Rule {
  Text suffix;
  Text replacement;
};

/// Applies the first rule whose suffix fits, if what is before it measures over
/// `above`.
template <std::size_t N>
void apply_first(std::string& word, const std::array<Rule, N>& rules, int above) {
  for (const Rule& rule : rules) {
    if (!ends_with(word, rule.suffix)) continue;
    const Text stem = without(word, rule.suffix.size());
    const bool ion_after_other =
        rule.suffix == "ion" && !ends_with(stem, "s") && !ends_with(stem, "t");
    // NLTK counts the l of -logi to the stem, so that theology goes like archaeology.
    const Text measured = rule.suffix == "logi" ? without(word, 3) : stem;
    if (measure(measured) > above && !ion_after_other) {
      word = std::string(stem) + std::string(rule.replacement);
    }
    return;
  }
}

void cut_to(std::string& word, std::size_t letters, Text ending) {
  word.resize(word.size() - letters);
  word += ending;
}

/// Plurals: -sses, -ies, -s.
void step_1a(std::string& word) {
  if (ends_with(word, "ies")) {
    cut_to(word, 3, word.size() == 4 ? "ie" : "i");
  } else if (ends_with(word, "sses")) {
    cut_to(word, 2, "");
  } else if (ends_with(word, "s") && !ends_with(word, "ss")) {
    cut_to(word, 1, "");
  }
}

/// What is left after -ed or -ing is made a word again: -at to -ate, -pp to -p, fil to
/// file.
void mend(std::string& word) {
  const bool bare =
      ends_with(word, "at") || ends_with(word, "bl") || ends_with(word, "iz");
  if (!bare && ends_in_double_consonant(word)) {
    if (Text("lsz").find(word.back()) == Text::npos) word.pop_back();
  } else if (bare || (measure(word) == 1 && ends_short(word))) {
    word += 'e';
  }
}

/// Past and participle: -ied, -eed, -ed, -ing.
void step_1b(std::string& word) {
  if (ends_with(word, "ied")) {
    cut_to(word, 3, word.size() == 4 ? "ie" : "i");
    return;
  }
  if (ends_with(word, "eed")) {
    if (measure(without(word, 3)) > 0) cut_to(word, 1, "");
    return;
  }
  for (const Text suffix : {Text("ed"), Text("ing")}) {
    if (ends_with(word, suffix) && has_vowel(without(word, suffix.size()))) {
      cut_to(word, suffix.size(), "");
      mend(word);
      return;
    }
  }
}

/// -y after a consonant that is not the first letter becomes -i.
void step_1c(std::string& word) {
  if (!ends_with(word, "y")) return;
  const Text stem = without(word, 1);
  if (stem.size() > 1 && consonants(stem).back()) cut_to(word, 1, "i");
}

void step_2(std::string& word) {
  static constexpr std::array<Rule, 22> kRules = {
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
       {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
       {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
       {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
       {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
       {"fulli", "ful"},   {"logi", "log"}}};
  // NLTK takes -alli first and looks at the result again.
  while (ends_with(word, "alli") && measure(without(word, 4)) > 0) cut_to(word, 2, "");
  apply_first(word, kRules, 0);
}

void step_3(std::string& word) {
  static constexpr std::array<Rule, 7> kRules = {{{"icate", "ic"},
                                                  {"ative", ""},
                                                  {"alize", "al"},
                                                  {"iciti", "ic"},
                                                  {"ical", "ic"},
                                                  {"ful", ""},
                                                  {"ness", ""}}};
  apply_first(word, kRules, 0);
}

void step_4(std::string& word) {
  static constexpr std::array<Rule, 19> kRules = {{{"al", ""},
                                                   {"ance", ""},
                                                   {"ence", ""},
                                                   {"er", ""},
                                                   {"ic", ""},
                                                   {"able", ""},
                                                   {"ible", ""},
                                                   {"ant", ""},
                                                   {"ement", ""},
                                                   {"ment", ""},
                                                   {"ent", ""},
                                                   {"ion", ""},
                                                   {"ou", ""},
                                                   {"ism", ""},
                                                   {"ate", ""},
                                                   {"iti", ""},
                                                   {"ous", ""},
                                                   {"ive", ""},
                                                   {"ize", ""}}};
  apply_first(word, kRules, 1);
}

void step_5(std::string& word) {
  if (ends_with(word, "e")) {
    const Text stem = without(word, 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_short(stem))) cut_to(word, 1, "");
  }
  if (ends_with(word, "ll") && measure(without(word, 1)) > 1) cut_to(word, 1, "");
}

}  // namespace

std::string porter_stem(std::string word) {
  static constexpr std::array<std::pair<Text, Text>, 16> kIrregular = {
      {{"sky", "sky"},
       {"skies", "sky"},
       {"dying", "die"},
       {"lying", "lie"},
       {"tying", "tie"},
       {"news", "news"},
       {"innings", "inning"},
       {"inning", "inning"},
       {"outings", "outing"},
       {"outing", "outing"},
       {"cannings", "canning"},
       {"canning", "canning"},
       {"howe", "howe"},
       {"proceed", "proceed"},
       {"exceed", "exceed"},
       {"succeed", "succeed"}}};
  for (const auto& [form, stem] : kIrregular) {
    if (word == form) return std::string(stem);
  }
  if (word.size() <= 2) return word;
  step_1a(word);
  step_1b(word);
  step_1c(word);
  step_2(word);
  step_3(word);
  step_4(word);
  step_5(word);
  return word;
}

}  // namespace edgeval
