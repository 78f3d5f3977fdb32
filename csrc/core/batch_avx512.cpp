#include "core/batch.hpp"
#include "core/simd_target.hpp"

#if defined(__x86_64__)

#if !defined(__clang__)
// GCC 12's own avx512 headers pass deliberately undefined vectors about (its bug
// 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

EDGEVAL_TARGET_BEGIN("avx512f,avx512dq,avx512vl")

namespace edgeval::batch {
namespace {

__mmask8 up_to_8(std::int64_t n) {
  return static_cast<__mmask8>(n >= 8 ? 0xFF : (1 << n) - 1);
}

struct Avx512 {
  using D = __m512d;
  static constexpr std::int64_t kWidth = 8;

  static D all(double x) { return _mm512_set1_pd(x); }
  static D load(const double* from, std::int64_t n) {
    return n == kWidth ? _mm512_loadu_pd(from)
                       : _mm512_maskz_loadu_pd(up_to_8(n), from);
  }
  static void store(double* to, std::int64_t n, D x) {
    if (n == kWidth) {
      _mm512_storeu_pd(to, x);
    } else {
      _mm512_mask_storeu_pd(to, up_to_8(n), x);
    }
  }
  static D add(D a, D b) { return _mm512_add_pd(a, b); }
  static D sub(D a, D b) { return _mm512_sub_pd(a, b); }
  static D mul(D a, D b) { return _mm512_mul_pd(a, b); }
  static D div(D a, D b) { return _mm512_div_pd(a, b); }
  static D root(D a) { return _mm512_sqrt_pd(a); }
  static D repeat(D x, std::int64_t lane) {
    return _mm512_permutexvar_pd(_mm512_set1_epi64(lane), x);
  }
  static D where_above(D a, D b, D then) {
    return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), then);
  }
  static D where_at_least(D a, D b, D then) {
    return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, b, _CMP_GE_OQ), then);
  }
  static int count_above(D a, D b) {
    return __builtin_popcount(_mm512_cmp_pd_mask(a, b, _CMP_GT_OQ));
  }
  static D where_fits(const std::int64_t* n_tokens, std::int64_t n, D then) {
    const __mmask8 some = up_to_8(n);
    const __m512i least = _mm512_set1_epi64(static_cast<long long>(kLeastTokens));
    const __m512i past =
        _mm512_sub_epi64(_mm512_maskz_loadu_epi64(some, n_tokens), least);
    const __m512i range = _mm512_set1_epi64(static_cast<long long>(kTokenRange));
    return _mm512_maskz_mov_pd(_mm512_mask_cmple_epu64_mask(some, past, range), then);
  }
  /// Lane k of the result is ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7)) of row
  /// k.
  static D row_sums(const D (&row)[8]) {
    D pair[4];
    for (std::ptrdiff_t i = 0; i < 4; ++i) {
      pair[i] = add(_mm512_unpacklo_pd(row[2 * i], row[2 * i + 1]),
                    _mm512_unpackhi_pd(row[2 * i], row[2 * i + 1]));
    }
    const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const __m512i high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    D quad[2];
    for (std::ptrdiff_t i = 0; i < 2; ++i) {
      quad[i] = add(_mm512_permutex2var_pd(pair[2 * i], low, pair[2 * i + 1]),
                    _mm512_permutex2var_pd(pair[2 * i], high, pair[2 * i + 1]));
    }
    return add(_mm512_shuffle_f64x2(quad[0], quad[1], 0x44),
               _mm512_shuffle_f64x2(quad[0], quad[1], 0xEE));
  }
  static void transpose(D (&row)[8]) {
    D pair[8];
    for (std::ptrdiff_t i = 0; i < 8; i += 2) {
      pair[i] = _mm512_unpacklo_pd(row[i], row[i + 1]);
      pair[i + 1] = _mm512_unpackhi_pd(row[i], row[i + 1]);
    }
    D quad[8];
    for (std::ptrdiff_t i = 0; i < 8; i += 4) {
      for (std::ptrdiff_t j = 0; j < 2; ++j) {
        quad[i + j] = _mm512_shuffle_f64x2(pair[i + j], pair[i + j + 2], 0x88);
        quad[i + j + 2] = _mm512_shuffle_f64x2(pair[i + j], pair[i + j + 2], 0xDD);
      }
    }
    for (std::ptrdiff_t j = 0; j < 4; ++j) {
      row[j] = _mm512_shuffle_f64x2(quad[j], quad[j + 4], 0x88);
      row[j + 4] = _mm512_shuffle_f64x2(quad[j], quad[j + 4], 0xDD);
    }
  }
};

/// An error's twentieths, the nearest: 0 .. 10, or 11 for more and for a NaN. Only the
/// tolerance of that many twentieths is near enough to be in doubt.
constexpr int kMost = 11;

/// Twentieth by twentieth: its tolerance, a NaN where there is none, which nothing
/// passes; and what an error that does not pass it is worth. One that does is worth the
/// one before.
template <typename T>
struct Twentieths {
  std::array<T, 16> tolerance;
  std::array<T, 16> worth;

  explicit Twentieths(const std::array<T, kThresholds>& tolerances) {
    tolerance.fill(std::numeric_limits<T>::quiet_NaN());
    worth.fill(0);
    for (std::size_t i = 0; i < kThresholds; ++i) {
      tolerance[kThresholds - i] = tolerances[i];
      worth[i] = static_cast<T>(kThresholds - i) / kThresholds;
    }
  }
};

bool accuracy_float64(const double* got, const double* want, std::int64_t n,
                      double* out) {
  const Twentieths<double> table(tolerances_float64());
  const __m512d tolerance[2] = {_mm512_loadu_pd(table.tolerance.data()),
                                _mm512_loadu_pd(table.tolerance.data() + 8)};
  const __m512d worth[2] = {_mm512_loadu_pd(table.worth.data()),
                            _mm512_loadu_pd(table.worth.data() + 8)};
  // Added to a number, leaves its nearest whole number in the last bits.
  const __m512d whole = _mm512_set1_pd(0x1.8p52);
  const __m512d most = _mm512_set1_pd(kMost);
  const __m512d twenty = _mm512_set1_pd(20);
  unsigned zero = 0;
  for (std::int64_t i = 0; i < n; i += 8) {
    const __mmask8 some = up_to_8(n - i);
    const __m512d target = _mm512_mask_loadu_pd(whole, some, want + i);
    zero |= _mm512_cmp_pd_mask(target, _mm512_setzero_pd(), _CMP_EQ_OQ);
    const __m512d off = _mm512_sub_pd(_mm512_maskz_loadu_pd(some, got + i), target);
    const __m512d error = _mm512_div_pd(_mm512_abs_pd(off), target);
    // Of a NaN, the minimum is the other.
    const __m512d scaled = _mm512_max_pd(
        _mm512_min_pd(_mm512_mul_pd(error, twenty), most), _mm512_setzero_pd());
    const __m512i nearest = _mm512_castpd_si512(_mm512_add_pd(scaled, whole));
    const __mmask8 passed = _mm512_cmp_pd_mask(
        error, _mm512_permutex2var_pd(tolerance[0], nearest, tolerance[1]), _CMP_LE_OQ);
    const __m512i at =
        _mm512_mask_sub_epi64(nearest, passed, nearest, _mm512_set1_epi64(1));
    _mm512_mask_storeu_pd(out + i, some,
                          _mm512_permutex2var_pd(worth[0], at, worth[1]));
  }
  return zero == 0;
}

/// Eight numbers as float32; too large becomes infinite.
__m256 narrowed(__m512d x) {
  const __m256 near = _mm512_cvtpd_ps(x);
  const double largest = static_cast<double>(std::numeric_limits<float>::max());
  // A number just above the largest would be rounded to it.
  const __mmask8 over =
      _mm512_cmp_pd_mask(_mm512_abs_pd(x), _mm512_set1_pd(largest), _CMP_GT_OQ);
  const __m256 sign = _mm256_and_ps(near, _mm256_set1_ps(-0.0F));
  const __m256 infinite = _mm256_set1_ps(std::numeric_limits<float>::infinity());
  return _mm256_mask_or_ps(near, over, infinite, sign);
}

void accuracy_float32(const double* got, const double* want, std::int64_t n,
                      double* out) {
  const Twentieths<float> table(tolerances_float32());
  const __m512 tolerance = _mm512_loadu_ps(table.tolerance.data());
  const __m512 worth = _mm512_loadu_ps(table.worth.data());
  const __m256 positive = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
  for (std::int64_t i = 0; i < n; i += 8) {
    const __mmask8 some = up_to_8(n - i);
    const __m256 target = narrowed(_mm512_maskz_loadu_pd(some, want + i));
    const __m256 said = narrowed(_mm512_maskz_loadu_pd(some, got + i));
    const __m256 off = _mm256_and_ps(_mm256_sub_ps(said, target), positive);
    const __m256 size =
        _mm256_add_ps(_mm256_and_ps(target, positive), _mm256_set1_ps(1e-8F));
    const __m256 error = _mm256_div_ps(off, size);
    const __m256 scaled =
        _mm256_min_ps(_mm256_mul_ps(error, _mm256_set1_ps(20)), _mm256_set1_ps(kMost));
    const __m256i nearest = _mm256_cvtps_epi32(scaled);
    const __m512i index = _mm512_castsi256_si512(nearest);
    const __m256 limit =
        _mm512_castps512_ps256(_mm512_permutexvar_ps(index, tolerance));
    const __mmask8 passed = _mm256_cmp_ps_mask(error, limit, _CMP_LT_OQ);
    const __m256i at =
        _mm256_mask_sub_epi32(nearest, passed, nearest, _mm256_set1_epi32(1));
    const __m512 earned = _mm512_permutexvar_ps(_mm512_castsi256_si512(at), worth);
    _mm512_mask_storeu_pd(out + i, some,
                          _mm512_cvtps_pd(_mm512_castps512_ps256(earned)));
  }
}

}  // namespace
}  // namespace edgeval::batch

#include "core/batch_rows.hpp"

EDGEVAL_TARGET_END

#endif

namespace edgeval::batch {

const Kernels* avx512_kernels() {
#if defined(__x86_64__)
  using Rows512 = Rows<Avx512>;
  static constexpr Kernels kKernels = {
      Path::kAvx512,    "avx512",          accuracy_float64,
      accuracy_float32, Rows512::temporal, Rows512::advantages,
      Rows512::t_grpo,
  };
  static const bool here = __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vl");
  return here ? &kKernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::batch
