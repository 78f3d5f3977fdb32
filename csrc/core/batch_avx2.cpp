#include "core/batch.hpp"
#include "core/simd_target.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

EDGEVAL_TARGET_BEGIN("avx2")

namespace edgeval::batch {
namespace {

/// All bits of the first n lanes.
__m256i up_to_4(std::int64_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

struct Avx2 {
  using D = __m256d;
  static constexpr std::int64_t kWidth = 4;

  static D all(double x) { return _mm256_set1_pd(x); }
  static D load(const double* from, std::int64_t n) {
    return n == kWidth ? _mm256_loadu_pd(from) : _mm256_maskload_pd(from, up_to_4(n));
  }
  static void store(double* to, std::int64_t n, D x) {
    if (n == kWidth) {
      _mm256_storeu_pd(to, x);
    } else {
      _mm256_maskstore_pd(to, up_to_4(n), x);
    }
  }
  static D add(D a, D b) { return _mm256_add_pd(a, b); }
  static D sub(D a, D b) { return _mm256_sub_pd(a, b); }
  static D mul(D a, D b) { return _mm256_mul_pd(a, b); }
  static D div(D a, D b) { return _mm256_div_pd(a, b); }
  static D root(D a) { return _mm256_sqrt_pd(a); }
  static D repeat(D x, std::int64_t lane) {
    const __m256i halves = _mm256_set1_epi64x((2 * lane + 1) << 32 | 2 * lane);
    return _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(x), halves));
  }
  static D where_above(D a, D b, D then) {
    return _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ), then);
  }
  static D where_at_least(D a, D b, D then) {
    return _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_GE_OQ), then);
  }
  static int count_above(D a, D b) {
    const int bits = _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ));
    return __builtin_popcount(static_cast<unsigned>(bits));
  }
  static D where_fits(const std::int64_t* n_tokens, std::int64_t n, D then) {
    const __m256i least = _mm256_set1_epi64x(static_cast<long long>(kLeastTokens) - 1);
    const __m256i past =
        _mm256_set1_epi64x(static_cast<long long>(kLeastTokens + kTokenRange) + 1);
    const __m256i tokens =
        _mm256_maskload_epi64(reinterpret_cast<const long long*>(n_tokens), up_to_4(n));
    const __m256i fits = _mm256_and_si256(_mm256_cmpgt_epi64(tokens, least),
                                          _mm256_cmpgt_epi64(past, tokens));
    return _mm256_and_pd(_mm256_castsi256_pd(fits), then);
  }
  /// Lane k of the result is (r0 + r1) + (r2 + r3) of row k.
  static D row_sums(const D (&row)[4]) {
    const D first = _mm256_hadd_pd(row[0], row[1]);
    const D second = _mm256_hadd_pd(row[2], row[3]);
    return add(_mm256_permute2f128_pd(first, second, 0x20),
               _mm256_permute2f128_pd(first, second, 0x31));
  }
  static void transpose(D (&row)[4]) {
    const D even[2] = {_mm256_unpacklo_pd(row[0], row[1]),
                       _mm256_unpacklo_pd(row[2], row[3])};
    const D odd[2] = {_mm256_unpackhi_pd(row[0], row[1]),
                      _mm256_unpackhi_pd(row[2], row[3])};
    row[0] = _mm256_permute2f128_pd(even[0], even[1], 0x20);
    row[1] = _mm256_permute2f128_pd(odd[0], odd[1], 0x20);
    row[2] = _mm256_permute2f128_pd(even[0], even[1], 0x31);
    row[3] = _mm256_permute2f128_pd(odd[0], odd[1], 0x31);
  }
};

/// Counted in floating point: a lane's 1 where it passes.
bool accuracy_float64(const double* got, const double* want, std::int64_t n,
                      double* out) {
  const std::array<double, kThresholds> tolerances = tolerances_float64();
  const __m256d one = _mm256_set1_pd(1);
  __m256d zero = _mm256_setzero_pd();
  const std::int64_t whole = n - n % 4;
  for (std::int64_t i = 0; i < whole; i += 4) {
    const __m256d target = _mm256_loadu_pd(want + i);
    zero = _mm256_or_pd(zero, _mm256_cmp_pd(target, _mm256_setzero_pd(), _CMP_EQ_OQ));
    const __m256d off = _mm256_sub_pd(_mm256_loadu_pd(got + i), target);
    const __m256d error =
        _mm256_div_pd(_mm256_andnot_pd(_mm256_set1_pd(-0.0), off), target);
    __m256d passed = _mm256_setzero_pd();
    for (const double tolerance : tolerances) {
      const __m256d does = _mm256_cmp_pd(error, _mm256_set1_pd(tolerance), _CMP_LE_OQ);
      passed = _mm256_add_pd(passed, _mm256_and_pd(does, one));
    }
    _mm256_storeu_pd(out + i, _mm256_div_pd(passed, _mm256_set1_pd(kThresholds)));
  }
  const bool rest = scalar_kernels().accuracy_float64(got + whole, want + whole,
                                                      n - whole, out + whole);
  return rest && _mm256_movemask_pd(zero) == 0;
}

/// Four numbers as float32; too large becomes infinite.
__m128 narrowed(__m256d x) {
  const __m256d sign = _mm256_set1_pd(-0.0);
  const __m256d largest =
      _mm256_set1_pd(static_cast<double>(std::numeric_limits<float>::max()));
  // A number just above the largest would be rounded to it.
  const __m256d over = _mm256_cmp_pd(_mm256_andnot_pd(sign, x), largest, _CMP_GT_OQ);
  const __m256d infinite = _mm256_or_pd(
      _mm256_set1_pd(std::numeric_limits<double>::infinity()), _mm256_and_pd(sign, x));
  return _mm256_cvtpd_ps(_mm256_blendv_pd(x, infinite, over));
}

void accuracy_float32(const double* got, const double* want, std::int64_t n,
                      double* out) {
  const std::array<float, kThresholds> tolerances = tolerances_float32();
  const __m128 sign = _mm_set1_ps(-0.0F);
  const __m128 one = _mm_set1_ps(1);
  const std::int64_t whole = n - n % 4;
  for (std::int64_t i = 0; i < whole; i += 4) {
    const __m128 target = narrowed(_mm256_loadu_pd(want + i));
    const __m128 off = _mm_sub_ps(narrowed(_mm256_loadu_pd(got + i)), target);
    const __m128 size = _mm_add_ps(_mm_andnot_ps(sign, target), _mm_set1_ps(1e-8F));
    const __m128 error = _mm_div_ps(_mm_andnot_ps(sign, off), size);
    __m128 passed = _mm_setzero_ps();
    for (const float tolerance : tolerances) {
      const __m128 does = _mm_cmplt_ps(error, _mm_set1_ps(tolerance));
      passed = _mm_add_ps(passed, _mm_and_ps(does, one));
    }
    _mm256_storeu_pd(out + i,
                     _mm256_cvtps_pd(_mm_div_ps(passed, _mm_set1_ps(kThresholds))));
  }
  scalar_kernels().accuracy_float32(got + whole, want + whole, n - whole, out + whole);
}

}  // namespace
}  // namespace edgeval::batch

#include "core/batch_rows.hpp"

EDGEVAL_TARGET_END

#endif

namespace edgeval::batch {

const Kernels* avx2_kernels() {
#if defined(__x86_64__)
  using Rows256 = Rows<Avx2>;
  static constexpr Kernels kKernels = {
      Path::kAvx2,       "avx2",
      accuracy_float64,  accuracy_float32,
      Rows256::temporal, Rows256::advantages,
      Rows256::t_grpo,
  };
  static const bool here = __builtin_cpu_supports("avx2");
  return here ? &kKernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::batch
