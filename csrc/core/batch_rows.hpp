// No include guard and no includes: a path includes this once, inside its target.

namespace edgeval::batch {
namespace {

/// Kernels over V::kWidth groups at once in the operations of V, step for step as the
/// scalar twin has them: its sums too, so a group's lanes are added up in its order.
template <typename V>
struct Rows {
  using D = typename V::D;
  static constexpr std::int64_t kWidth = V::kWidth;

  /// Of each group the sum of term(group, i, n), which holds its terms i .. i + n - 1;
  /// what the vector holds after them is not looked at.
  template <typename Term>
  [[gnu::always_inline]] static D lanes_sum(std::int64_t first, std::int64_t last,
                                            const Term& term) {
    constexpr std::int64_t kParts = kLanes / kWidth;
    D total = V::all(0);
    std::int64_t i = first;
    if (last - first >= kLanes) {
      D lane[kParts][kWidth];
      for (auto& part : lane) {
        for (D& row : part) row = V::all(0);
      }
      for (; i + kLanes <= last; i += kLanes) {
        for (std::int64_t part = 0; part < kParts; ++part) {
          for (std::int64_t g = 0; g < kWidth; ++g) {
            lane[part][g] = V::add(lane[part][g], term(g, i + part * kWidth, kWidth));
          }
        }
      }
      total = V::row_sums(lane[0]);
      for (std::int64_t part = 1; part < kParts; ++part) {
        total = V::add(total, V::row_sums(lane[part]));
      }
    }
    for (; i < last; i += kWidth) {
      const std::int64_t n = std::min(kWidth, last - i);
      D column[kWidth];
      for (std::int64_t g = 0; g < kWidth; ++g) column[g] = term(g, i, n);
      V::transpose(column);
      for (std::int64_t k = 0; k < n; ++k) total = V::add(total, column[k]);
    }
    return total;
  }

  template <typename Term>
  static D halves_sum(std::int64_t first, std::int64_t last, const Term& term) {
    const std::int64_t n = last - first;
    if (n <= kBlock) return lanes_sum(first, last, term);
    const std::int64_t middle = first + n / 2 - n / 2 % kLanes;
    return V::add(halves_sum(first, middle, term), halves_sum(middle, last, term));
  }

  template <typename Term>
  [[gnu::always_inline]] static D sum(std::int64_t n, const Term& term) {
    return n <= kBlock ? lanes_sum(0, n, term) : halves_sum(0, n, term);
  }

  [[gnu::always_inline]] static D means(const double* values, std::int64_t n,
                                        const Size& size) {
    const D total = sum(n, [=](std::int64_t g, std::int64_t i, std::int64_t some) {
      return V::load(values + g * n + i, some);
    });
    return size.exact ? V::mul(total, V::all(size.share))
                      : V::div(total, V::all(size.size));
  }

  [[gnu::always_inline]] static void some_advantages(const double* rewards,
                                                     std::int64_t n, const Size& size,
                                                     double* out) {
    const D mean = means(rewards, n, size);
    D centre[kWidth];
    for (std::int64_t g = 0; g < kWidth; ++g) centre[g] = V::repeat(mean, g);
    const D* middle = centre;
    const D squares = sum(n, [=](std::int64_t g, std::int64_t i, std::int64_t some) {
      const D off = V::sub(V::load(rewards + g * n + i, some), middle[g]);
      return V::mul(off, off);
    });
    const D unbiased = V::all(1 / static_cast<double>(n - 1));
    const D deviation = V::root(V::mul(squares, unbiased));
    const D factor = V::div(V::all(1), V::add(deviation, V::all(kEpsilon)));
    for (std::int64_t g = 0; g < kWidth; ++g) {
      const D scale = V::repeat(factor, g);
      for (std::int64_t i = 0; i < n; i += kWidth) {
        const std::int64_t some = std::min(kWidth, n - i);
        const std::int64_t at = g * n + i;
        V::store(out + at, some,
                 V::mul(V::sub(V::load(rewards + at, some), centre[g]), scale));
      }
    }
  }

  /// What a tried completion of each group earns; says in `granted` which groups do.
  [[gnu::always_inline]] static D worth(const double* ordered, std::int64_t n,
                                        const Size& size, const double* shuffled,
                                        std::int64_t n_shuffled,
                                        const Size& size_shuffled, double* granted) {
    const D least = V::mul(V::all(kKept), means(shuffled, n_shuffled, size_shuffled));
    const D mean = means(ordered, n, size);
    V::store(granted, kWidth, V::where_at_least(mean, least, V::all(1)));
    return V::where_at_least(mean, least, V::all(kInOrder));
  }

  /// A group's rewards, with `bonus` for every completion that tried.
  [[gnu::always_inline]] static void sum_up(const GroupResults& results,
                                            std::int64_t first, std::int64_t n, D bonus,
                                            double* rewards) {
    const double* accuracy = results.accuracy + first;
    const D tried = V::all(kTried);
    int several = 0;
    for (std::int64_t i = 0; i < n; i += kWidth) {
      const std::int64_t some = std::min(kWidth, n - i);
      several += V::count_above(V::load(accuracy + i, some), tried);
    }
    const D length = V::all(several > 1 ? kLengthBonus : 0);
    for (std::int64_t i = 0; i < n; i += kWidth) {
      const std::int64_t some = std::min(kWidth, n - i);
      const D x = V::load(accuracy + i, some);
      const D form = V::load(results.form + first + i, some);
      D earned = V::add(V::add(x, V::where_above(x, tried, bonus)), form);
      if (results.n_tokens != nullptr) {
        const D fits = V::where_fits(results.n_tokens + first + i, some, length);
        earned = V::add(earned, V::where_above(x, tried, fits));
      }
      V::store(rewards + i, some, earned);
    }
  }

  [[gnu::always_inline]] static void bonuses(const double* ordered, std::int64_t n,
                                             D bonus, double* out) {
    const D tried = V::all(kTried);
    for (std::int64_t g = 0; g < kWidth; ++g) {
      const D each = V::repeat(bonus, g);
      for (std::int64_t i = 0; i < n; i += kWidth) {
        const std::int64_t some = std::min(kWidth, n - i);
        const std::int64_t at = g * n + i;
        V::store(out + at, some,
                 V::where_above(V::load(ordered + at, some), tried, each));
      }
    }
  }

  /// Calls step(group, size) for every kWidth groups, with a size known when compiled
  /// for Video-R1's groups of eight; how many groups those are.
  template <typename Step>
  [[gnu::always_inline]] static std::int64_t each(Groups groups, const Step& step) {
    const std::int64_t whole = groups.count - groups.count % kWidth;
    if (groups.size == kLanes) {
      for (std::int64_t g = 0; g < whole; g += kWidth) step(g, kLanes);
    } else {
      for (std::int64_t g = 0; g < whole; g += kWidth) step(g, groups.size);
    }
    return whole;
  }

  static void temporal(const double* ordered, Groups groups, const double* shuffled,
                       std::int64_t n_shuffled, double* bonus, double* granted) {
    const Size size(groups.size);
    const Size size_shuffled(n_shuffled);
    const std::int64_t done = each(groups, [=](std::int64_t g, std::int64_t n) {
      const D earned = worth(ordered + g * n, n, size, shuffled + g * n_shuffled,
                             n_shuffled, size_shuffled, granted + g);
      bonuses(ordered + g * n, n, earned, bonus + g * n);
    });
    const std::int64_t at = done * groups.size;
    scalar_kernels().temporal(ordered + at, {groups.count - done, groups.size},
                              shuffled + done * n_shuffled, n_shuffled, bonus + at,
                              granted + done);
  }

  static void advantages(const double* rewards, Groups groups, double* out) {
    const Size size(groups.size);
    const std::int64_t done = each(groups, [=](std::int64_t g, std::int64_t n) {
      some_advantages(rewards + g * n, n, size, out + g * n);
    });
    const std::int64_t at = done * groups.size;
    scalar_kernels().advantages(rewards + at, {groups.count - done, groups.size},
                                out + at);
  }

  static void t_grpo(const GroupResults& results, Groups groups, double* rewards,
                     double* advantages, double* granted) {
    const Size size(groups.size);
    const std::int64_t n_shuffled = results.n_shuffled;
    const Size size_shuffled(n_shuffled);
    const std::int64_t done = each(groups, [&](std::int64_t g, std::int64_t n) {
      D bonus = V::all(0);
      if (results.shuffled != nullptr) {
        bonus =
            worth(results.accuracy + g * n, n, size, results.shuffled + g * n_shuffled,
                  n_shuffled, size_shuffled, granted + g);
      } else {
        V::store(granted + g, kWidth, V::all(kImage));
      }
      for (std::int64_t k = 0; k < kWidth; ++k) {
        const std::int64_t first = (g + k) * n;
        sum_up(results, first, n, V::repeat(bonus, k), rewards + first);
      }
      some_advantages(rewards + g * n, n, size, advantages + g * n);
    });
    const std::int64_t at = done * groups.size;
    GroupResults rest = results;
    rest.accuracy += at;
    rest.form += at;
    if (rest.shuffled != nullptr) rest.shuffled += done * n_shuffled;
    if (rest.n_tokens != nullptr) rest.n_tokens += at;
    scalar_kernels().t_grpo(rest, {groups.count - done, groups.size}, rewards + at,
                            advantages + at, granted + done);
  }
};

}  // namespace
}  // namespace edgeval::batch
