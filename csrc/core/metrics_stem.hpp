#pragma once

#include <string>

namespace edgeval {

/// The stem of a lower-case ASCII word, by Porter's algorithm with NLTK's extensions.
///
/// Words of one or two letters stay as they are. rouge_score stems words over 3
/// letters. Source: M. F. Porter, "An algorithm for suffix stripping", Program 14(3),
/// 1980, with the irregular words and changed rules of nltk 3.10.4 stem/porter.py (mode
/// NLTK_EXTENSIONS).
std::string porter_stem(std::string word);

}  // namespace edgeval
