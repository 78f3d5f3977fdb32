#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/metrics.hpp"
#include "core/rewards.hpp"
#include "test/check.hpp"

namespace {

using Floats = std::vector<double>;

std::string tagged(const std::string& text) {
  return "<think>hm</think><answer>" + text + "</answer>";
}

double ocr(const std::string& got, const std::string& want) {
  double out = -1;
  edgeval::ocr_rewards({tagged(got)}, {tagged(want)}, &out);
  return out;
}

double free_form(const std::string& got, const std::string& want) {
  double out = -1;
  edgeval::free_form_rewards({tagged(got)}, {tagged(want)}, &out);
  return out;
}

void texts() {
  CHECK(ocr("HELLO WORLD", "HELLO WORLD") == 1);
  CHECK(ocr("HELLO", "HELLO WORLD") == 0.5);
  CHECK(ocr("hello world", "HELLO WORLD") == 0);
  CHECK(ocr("", "") == 1);
  CHECK(ocr("a", "") == 0);
  CHECK(ocr("a b x y", "a b") == 0);
  CHECK(ocr("a b x y z", "a b") == 0);
  CHECK(free_form("EXIT", "exit") == 2.0 / 3);
  CHECK(free_form("No. 5, 3rd floor.", "no 5 3rd floor") == 1);
  CHECK(free_form("running runners ran", "EXIT") == 0);
  CHECK(free_form("", "") == 0);
  double out = 0;
  CHECK_REFUSES(edgeval::ocr_rewards({"a"}, {}, &out), "1 answers for 0");
  CHECK_REFUSES(edgeval::free_form_rewards({}, {"a"}, &out), "0 answers for 1");
}

/// Only the first closed block counts; without one there is no answer.
void tags() {
  const auto against_a = [](const char* text) {
    double out = -1;
    edgeval::ocr_rewards({text}, {"<answer>a</answer>"}, &out);
    return out;
  };
  CHECK(against_a("<answer> a\n</answer><answer>b</answer>") == 1);
  CHECK(against_a("<answer>b</answer><answer>a</answer>") == 0);
  CHECK(against_a("</answer><answer>a</answer>") == 1);
  CHECK(against_a("a") == 0);
  CHECK(against_a("<answer>a") == 0);
  CHECK(against_a("<answer></answer>a") == 0);
  CHECK(against_a("") == 0);
}

/// What a hostile answer may cost: long against short is cheap, long against long is
/// refused.
void endless_texts() {
  std::string endless;
  for (std::int64_t i = 0; i <= edgeval::kMaxWords; ++i) endless += "a ";
  CHECK(ocr(endless, "a") == 0);
  CHECK(free_form(endless, "a") > 0);
  CHECK_REFUSES(ocr(endless, endless), "262145 words against 262145");
  CHECK_REFUSES(free_form(endless, endless), "262145 words against 262145");
}

/// One batch, so that words and memory of one pair could leak into the next.
void a_batch_is_its_pairs() {
  const std::vector<std::string> said = {"b a",          "", "a a a a", "x y z",
                                         "cats running", "a"};
  const std::vector<std::string> meant = {"a b", "a", "a a", "x q z", "cat run", ""};
  std::vector<std::string> held;
  held.reserve(said.size() + meant.size());
  for (const std::string& text : said) held.push_back(tagged(text));
  for (const std::string& text : meant) held.push_back(tagged(text));
  const edgeval::Texts got(held.begin(), held.begin() + 6);
  const edgeval::Texts want(held.begin() + 6, held.end());
  Floats together(got.size());
  double alone = 0;
  edgeval::ocr_rewards(got, want, together.data());
  for (std::size_t i = 0; i < got.size(); ++i) {
    edgeval::ocr_rewards({got[i]}, {want[i]}, &alone);
    CHECK(together[i] == alone);
  }
  edgeval::free_form_rewards(got, want, together.data());
  for (std::size_t i = 0; i < got.size(); ++i) {
    edgeval::free_form_rewards({got[i]}, {want[i]}, &alone);
    CHECK(together[i] == alone);
  }
}

void temporal() {
  // Better in order; a tie at 0.8 of the other (passes); worse; nothing anywhere.
  const Floats ordered = {1, 1, 0, 0.1, 0.8, 0.8, 0.8, 0.8, 0, 0, 0, 0.2, 0, 0, 0, 0};
  const Floats shuffled = {0, 1, 1, 1, 1, 1, 0, 0};
  Floats bonus(ordered.size(), -1);
  Floats granted(4, -1);
  edgeval::temporal_rewards(ordered.data(), {4, 4}, shuffled.data(), 2, bonus.data(),
                            granted.data());
  CHECK(granted == Floats{1, 1, 0, 1});
  CHECK(bonus == Floats{0.3, 0.3, 0, 0, 0.3, 0.3, 0.3, 0.3, 0, 0, 0, 0, 0, 0, 0, 0});
  const Floats eight(8, 0.8);
  edgeval::temporal_rewards(eight.data(), {1, 8}, Floats(8, 1.0).data(), 8,
                            bonus.data(), granted.data());
  CHECK(granted[0] == 1);
  CHECK(bonus[7] == 0.3);
  CHECK_REFUSES(edgeval::temporal_rewards(eight.data(), {1, 8}, eight.data(), 0,
                                          bonus.data(), granted.data()),
                "groups of 0");
}

void advantages() {
  const Floats rewards = {1, 0, 0, 0, 2, 2, 2, 2};
  Floats out(rewards.size());
  edgeval::group_advantages(rewards.data(), {2, 4}, out.data());
  CHECK(std::abs(out[0] - 0.75 / (0.5 + 1e-4)) < 1e-15);
  CHECK(std::abs(out[3] + 0.25 / (0.5 + 1e-4)) < 1e-15);
  CHECK(out[4] == 0);
  // Longer than the eight lanes, with a rest.
  Floats long_group(19);
  for (std::size_t i = 0; i < long_group.size(); ++i) {
    long_group[i] = static_cast<double>(i);
  }
  Floats spread(long_group.size());
  edgeval::group_advantages(long_group.data(), {1, 19}, spread.data());
  CHECK(std::abs(spread[18] - 9 / (std::sqrt(570.0 / 18) + 1e-4)) < 1e-15);
  CHECK_REFUSES(edgeval::group_advantages(rewards.data(), {8, 1}, out.data()),
                "groups of 1; wants at least 2");
}

/// Both groups and all parts of a reward at once, against the kernels one by one.
void t_grpo() {
  const Floats accuracy = {1, 1, 0, 0.05, 1, 0, 0, 0};
  const Floats form = {1, 0, 1, 0, 0, 0, 0, 0};
  const Floats shuffled = {1, 0, 1, 1};
  const std::vector<std::int64_t> n_tokens = {320, 513, 400, 400, 400, 400, 400, 400};
  edgeval::GroupResults results{accuracy.data(), form.data(), shuffled.data(), 2,
                                n_tokens.data()};
  Floats rewards(8, -1);
  Floats advantages(8, -1);
  Floats granted(2, -1);
  edgeval::t_grpo(results, {2, 4}, rewards.data(), advantages.data(), granted.data());
  CHECK(rewards == Floats{1 + 0.3 + 1 + 0.2, 1.3, 1, 0.05, 1, 0, 0, 0});
  CHECK(granted == Floats{1, 0});
  Floats alone(8, -1);
  edgeval::group_advantages(rewards.data(), {2, 4}, alone.data());
  CHECK(advantages == alone);
  results.shuffled = nullptr;
  results.n_tokens = nullptr;
  edgeval::t_grpo(results, {2, 4}, rewards.data(), advantages.data(), granted.data());
  CHECK(rewards == Floats{2, 1, 1, 0.05, 1, 0, 0, 0});
  CHECK(granted == Floats{0.5, 0.5});
  CHECK_REFUSES(edgeval::t_grpo(results, {8, 1}, rewards.data(), advantages.data(),
                                granted.data()),
                "groups of 1");
}

}  // namespace

int main() {
  texts();
  tags();
  endless_texts();
  a_batch_is_its_pairs();
  temporal();
  advantages();
  t_grpo();
  return edgeval::test::report();
}
