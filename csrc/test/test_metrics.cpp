#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/bootstrap.hpp"
#include "core/metrics.hpp"
#include "core/metrics_stem.hpp"
#include "core/random.hpp"
#include "test/check.hpp"

namespace {

using Texts = std::vector<std::string>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double wide(double got, double want) {
  double out = -1;
  edgeval::mean_relative_accuracy_float64(&got, &want, 1, &out);
  return out;
}

double narrow(double got, double want) {
  double out = -1;
  edgeval::mean_relative_accuracy_float32(&got, &want, 1, &out);
  return out;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-6; }

/// The pairs both specifications give, one definition against the other.
void mean_relative_accuracy() {
  CHECK(wide(3, 2) == 0.1);
  CHECK(wide(5, 4) == 0.6);
  CHECK(wide(9, 10) == 0.9);
  CHECK(wide(1.1, 1.0) == 0.9);
  CHECK(wide(1.8, 2.0) == 0.9);
  CHECK(wide(7, 10) == 0.5);
  CHECK(wide(15, 10) == 0.1);
  CHECK(near(narrow(3, 2), 0.0));
  CHECK(near(narrow(5, 4), 0.5));
  CHECK(near(narrow(1.8, 2.0), 0.8));
  CHECK(near(narrow(7, 10), 0.4));
  CHECK(near(narrow(15, 10), 0.0));
  CHECK(narrow(9, 10) == static_cast<double>(0.9F));
  CHECK(narrow(0, 0) == 1.0);
  for (const double hostile : {kNaN, kInf, -kInf, 1e308}) {
    CHECK(wide(hostile, 4) == 0.0);
    CHECK(narrow(hostile, 4) == 0.0);
  }
  CHECK(wide(4, kInf) == 0.0);
  CHECK(narrow(4, kInf) == 0.0);
  CHECK(narrow(1e300, 1e300) == 0.0);
  CHECK_REFUSES(wide(4, 0), "want=0");
}

double error_rate(const std::string& got, const std::string& want) {
  double out = -1;
  edgeval::word_error_rates({got}, {want}, &out);
  return out;
}

/// Edit distance by the textbook table.
double slow_error_rate(const std::vector<int>& got, const std::vector<int>& want) {
  std::vector<std::size_t> row(got.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= want.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1,
                         diagonal + (want[i - 1] == got[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return static_cast<double>(row.back()) /
         static_cast<double>(std::max<std::size_t>(want.size(), 1));
}

double slow_common(const std::vector<int>& got, const std::vector<int>& want) {
  std::vector<std::size_t> row(got.size() + 1, 0);
  for (const int word : want) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = word == got[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return static_cast<double>(row.back());
}

std::string joined(const std::vector<int>& words) {
  std::string text;
  for (const int word : words) text += "w" + std::to_string(word) + " ";
  return text;
}

std::vector<int> some_words(std::uint64_t stream, std::uint64_t length,
                            std::uint64_t kinds) {
  std::vector<int> words(length);
  for (std::uint64_t i = 0; i < length; ++i) {
    const auto word = edgeval::random_words(1, edgeval::Draws::kShuffle, stream,
                                            static_cast<std::uint32_t>(i));
    words[i] = static_cast<int>(edgeval::scaled_below(word[0], kinds));
  }
  return words;
}

/// Lengths around one and two machine words, few and many kinds of words.
void kernels_equal_the_tables() {
  std::uint64_t stream = 0;
  for (const std::uint64_t n : {0, 1, 5, 63, 64, 65, 127, 128, 129, 200}) {
    for (const std::uint64_t m : {0, 1, 64, 65, 150}) {
      for (const std::uint64_t kinds : {1, 3, 400}) {
        const std::vector<int> got = some_words(++stream, n, kinds);
        const std::vector<int> want = some_words(++stream, m, kinds);
        CHECK(error_rate(joined(got), joined(want)) == slow_error_rate(got, want));
        std::array<double, 3> rouge{};
        edgeval::rouge_l({joined(got)}, {joined(want)}, false, rouge.data());
        const double precision =
            slow_common(got, want) / std::max(1.0, static_cast<double>(n));
        CHECK(rouge[0] == precision);
      }
    }
  }
}

void word_errors() {
  CHECK(error_rate("a b c", "a b c") == 0.0);
  CHECK(error_rate("", "a b") == 1.0);
  CHECK(error_rate("a b c", "") == 3.0);
  CHECK(error_rate("A b", "a b") == 0.5);
  CHECK(error_rate("", "") == 0.0);
  double out = 0;
  CHECK_REFUSES(edgeval::word_error_rates({"a"}, {}, &out), "1 answers for 0");
}

void rouge() {
  std::array<double, 3> out{};
  edgeval::rouge_n({"the cat sat"}, {"the cat"}, 1, true, out.data());
  CHECK(out[0] == 2.0 / 3.0);
  CHECK(out[1] == 1.0);
  CHECK(out[2] == 0.8);
  edgeval::rouge_n({"a a b"}, {"a b a"}, 2, true, out.data());
  CHECK(out[2] == 0.5);
  edgeval::rouge_n({"a"}, {"a"}, 2, true, out.data());
  CHECK(out[2] == 0.0);
  edgeval::rouge_n({"running cats"}, {"run cat"}, 1, true, out.data());
  CHECK(out[2] == 1.0);
  edgeval::rouge_n({"\xff\x80!?"}, {""}, 1, true, out.data());
  CHECK(out[2] == 0.0);
  CHECK_REFUSES(edgeval::rouge_n({"a"}, {"a"}, 0, true, out.data()), "order 0");
}

void stems() {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"caresses", "caress"},
      {"ponies", "poni"},
      {"dies", "die"},
      {"agreed", "agre"},
      {"plastered", "plaster"},
      {"conflated", "conflat"},
      {"hopping", "hop"},
      {"falling", "fall"},
      {"filing", "file"},
      {"happy", "happi"},
      {"enjoy", "enjoy"},
      {"relational", "relat"},
      {"radically", "radic"},
      {"theology", "theolog"},
      {"adjustment", "adjust"},
      {"adoption", "adopt"},
      {"controlling", "control"},
      {"dying", "die"},
      {"sky", "sky"},
      {"as", "as"},
      {"", ""},
      {"yyyy", "yyyi"},
      {"2019", "2019"}};
  for (const auto& [word, stem] : pairs) CHECK(edgeval::porter_stem(word) == stem);
}

void tallies() {
  const std::vector<std::int64_t> groups = {0, 0, 2, 2, 2};
  const std::vector<std::int64_t> classes = {1, 1, 0, 1, 0};
  std::vector<std::int64_t> out(6, -1);
  edgeval::tally(groups.data(), classes.data(), 5, 3, 2, out.data());
  CHECK(out == std::vector<std::int64_t>{0, 2, 0, 0, 2, 1});
  CHECK_REFUSES(edgeval::tally(groups.data(), classes.data(), 5, 2, 2, out.data()),
                "group 2");
}

void bootstrap() {
  const std::vector<double> sums = {1, 1, 10, 1, 100, 1};
  std::vector<double> whole(200);
  std::vector<double> parts(200);
  edgeval::bootstrap_sums(sums.data(), 3, 2, 42, 0, 100, whole.data());
  edgeval::bootstrap_sums(sums.data(), 3, 2, 42, 63, 37, parts.data() + 126);
  edgeval::bootstrap_sums(sums.data(), 3, 2, 42, 0, 63, parts.data());
  CHECK(whole == parts);
  bool three_each = true;
  for (std::size_t b = 0; b < 100; ++b)
    three_each = three_each && whole[2 * b + 1] == 3;
  CHECK(three_each);
  edgeval::bootstrap_sums(sums.data(), 3, 2, 43, 0, 100, parts.data());
  CHECK(whole != parts);
  CHECK_REFUSES(edgeval::bootstrap_sums(sums.data(), 0, 2, 1, 0, 1, parts.data()),
                "0 clusters");
  CHECK_REFUSES(edgeval::require_bootstrap(1, 2, 0, edgeval::kMaxBootstrap), "at most");
}

}  // namespace

int main() {
  mean_relative_accuracy();
  word_errors();
  kernels_equal_the_tables();
  rouge();
  stems();
  tallies();
  bootstrap();
  return edgeval::test::report();
}
