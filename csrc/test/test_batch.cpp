#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/batch.hpp"
#include "core/random.hpp"
#include "test/check.hpp"

namespace {

using namespace edgeval::batch;  // NOLINT(google-build-using-namespace)
using edgeval::Groups;
using edgeval::Path;
using Floats = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<Path> vector_paths() {
  std::vector<Path> found;
  for (const Path path : {Path::kAvx2, Path::kAvx512, Path::kNeon}) {
    if (has(path)) found.push_back(path);
  }
  return found;
}

/// Numbers in [0, 1), each drawn once.
class Random {
 public:
  double next() {
    const std::uint64_t word =
        edgeval::random_words(7, edgeval::Draws::kShuffle, 0, next_++)[0];
    return static_cast<double>(word >> 11U) * 0x1p-53;
  }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() * static_cast<double>(n));
  }
  template <std::size_t n>
  double of(const std::array<double, n>& values) {
    return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(n)))];
  }

 private:
  std::uint32_t next_ = 0;
};

/// Bit for bit, but a NaN for a NaN.
bool same(const Floats& a, const Floats& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (a[i] != b[i] || std::signbit(a[i]) != std::signbit(b[i])) return false;
  }
  return true;
}

void best_path_is_the_widest_there_is() {
  const std::vector<Path> found = vector_paths();
  CHECK(has(Path::kScalar));
  CHECK(kernels().path == (found.empty() ? Path::kScalar : found.back()));
  CHECK(!has(Path::kNeon));
  CHECK_REFUSES(kernels(Path::kNeon), "cannot run");
}

/// Errors on and beside every threshold, and numbers that are none.
void accuracies_are_the_same_on_every_path() {
  constexpr std::array<double, 12> kOdd = {
      kNaN, kInf, -kInf, 0.0, -0.0, -3.0, 1e-8, 1e300, 5e-324, 3.402824e38, -2e38, 4.0};
  Random random;
  Floats got;
  Floats want;
  for (int i = 0; i < 20000; ++i) {
    const double truth = i % 3 == 0 ? static_cast<double>(1 + random.below(40))
                                    : std::exp(4 * random.next());
    const auto twentieths = static_cast<double>(random.below(24));
    double said = truth * (1 + (i % 2 == 0 ? 0.05 : -0.05) * twentieths);
    for (std::int64_t k = random.below(4); k > 0; --k)
      said = std::nextafter(said, kInf);
    for (std::int64_t k = random.below(4); k > 0; --k) said = std::nextafter(said, 0.0);
    got.push_back(random.below(10) == 0 ? random.of(kOdd) : said);
    want.push_back(random.below(10) == 0 ? random.of(kOdd) : truth);
  }
  for (const std::int64_t n : {0, 1, 3, 4, 7, 8, 9, 13, 20000}) {
    const auto size = static_cast<std::size_t>(n);
    Floats wide(size, -1);
    Floats narrow(size, -1);
    const Kernels& plain = kernels(Path::kScalar);
    const bool known = plain.accuracy_float64(got.data(), want.data(), n, wide.data());
    plain.accuracy_float32(got.data(), want.data(), n, narrow.data());
    for (const Path path : vector_paths()) {
      Floats out(size + 1, -1);
      CHECK(kernels(path).accuracy_float64(got.data(), want.data(), n, out.data()) ==
            known);
      CHECK(out.back() == -1);
      out.pop_back();
      if (!known) {
        // Without a true value there is no accuracy either.
        for (std::size_t i = 0; i < size; ++i) {
          if (want[i] == 0) out[i] = wide[i] = 0;
        }
      }
      CHECK(same(out, wide));
      out.assign(size + 1, -1);
      kernels(path).accuracy_float32(got.data(), want.data(), n, out.data());
      CHECK(out.back() == -1);
      out.pop_back();
      CHECK(same(out, narrow));
    }
  }
}

/// Whatever one kernel writes, with a number behind that nobody may touch.
struct Written {
  Floats rewards;
  Floats advantages;
  Floats granted;
};

bool same(const Written& a, const Written& b) {
  return same(a.rewards, b.rewards) && same(a.advantages, b.advantages) &&
         same(a.granted, b.granted);
}

Written blank(Groups groups) {
  const auto n = static_cast<std::size_t>(groups.count * groups.size) + 1;
  return {Floats(n, -9), Floats(n, -9),
          Floats(static_cast<std::size_t>(groups.count) + 1, -9)};
}

/// Groups of every size, in every number, on thresholds and beside them.
struct Batch {
  Groups groups{};
  std::int64_t n_shuffled = 0;
  Floats accuracy;
  Floats form;
  Floats shuffled;
  std::vector<std::int64_t> n_tokens;

  Batch(Random& random, Groups shape, std::int64_t others)
      : groups(shape), n_shuffled(others) {
    constexpr std::array<double, 7> kLikely = {0,   1, 1, 0.1, 0.8, 0.30000000000000004,
                                               -0.0};
    constexpr std::array<double, 4> kRare = {kNaN, kInf, -1e300, 5e-324};
    constexpr std::array<double, 6> kTokens = {319, 320, 512, 513, -1, 400};
    const auto draw = [&random, &kLikely, &kRare] {
      if (random.below(3) == 0) return random.next();
      return random.below(400) == 0 ? random.of(kRare) : random.of(kLikely);
    };
    for (std::int64_t i = 0; i < groups.count * groups.size; ++i) {
      accuracy.push_back(draw());
      form.push_back(static_cast<double>(random.below(2)));
      n_tokens.push_back(static_cast<std::int64_t>(random.of(kTokens)));
    }
    for (std::int64_t i = 0; i < groups.count * others; ++i) shuffled.push_back(draw());
  }

  [[nodiscard]] Written run(const Kernels& with, bool image, bool lengths) const {
    Written out = blank(groups);
    const edgeval::GroupResults results{accuracy.data(), form.data(),
                                        image ? nullptr : shuffled.data(), n_shuffled,
                                        lengths ? n_tokens.data() : nullptr};
    with.t_grpo(results, groups, out.rewards.data(), out.advantages.data(),
                out.granted.data());
    return out;
  }

  [[nodiscard]] Written one_by_one(const Kernels& with) const {
    Written out = blank(groups);
    with.temporal(accuracy.data(), groups, shuffled.data(), n_shuffled,
                  out.rewards.data(), out.granted.data());
    with.advantages(accuracy.data(), groups, out.advantages.data());
    return out;
  }
};

void groups_are_the_same_on_every_path() {
  Random random;
  for (const std::int64_t size :
       {2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 24, 31, 64, 100, 128, 129, 200, 300}) {
    for (const std::int64_t count : {0, 1, 3, 4, 7, 8, 9, 67}) {
      const Batch batch(random, {count, size}, 1 + random.below(size == 300 ? 200 : 9));
      const Kernels& plain = kernels(Path::kScalar);
      for (const Path path : vector_paths()) {
        const Kernels& fast = kernels(path);
        CHECK(same(batch.one_by_one(fast), batch.one_by_one(plain)));
        for (const bool image : {false, true}) {
          for (const bool lengths : {false, true}) {
            CHECK(same(batch.run(fast, image, lengths),
                       batch.run(plain, image, lengths)));
          }
        }
      }
    }
  }
}

/// The scalar twin writes nothing behind its output either.
void nothing_is_written_behind() {
  Random random;
  const Batch batch(random, {9, 8}, 4);
  std::vector<Path> paths = vector_paths();
  paths.push_back(Path::kScalar);
  for (const Path path : paths) {
    const Written out = batch.run(kernels(path), false, true);
    CHECK(out.rewards.back() == -9);
    CHECK(out.advantages.back() == -9);
    CHECK(out.granted.back() == -9);
  }
}

}  // namespace

int main() {
  best_path_is_the_widest_there_is();
  accuracies_are_the_same_on_every_path();
  groups_are_the_same_on_every_path();
  nothing_is_written_behind();
  return edgeval::test::report();
}
