#include "core/floatresize.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "core/simd_target.hpp"

EDGEVAL_TARGET_BEGIN("avx2,fma")

namespace edgeval::floats {
namespace {

__m128i eight(const std::uint8_t* from) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
}

/// 8 columns of 8 rows of bytes to floats.
void spread_8(const std::uint8_t* const (&rows)[kLanes], float* block) {
  const __m128i a = _mm_unpacklo_epi8(eight(rows[0]), eight(rows[1]));
  const __m128i b = _mm_unpacklo_epi8(eight(rows[2]), eight(rows[3]));
  const __m128i c = _mm_unpacklo_epi8(eight(rows[4]), eight(rows[5]));
  const __m128i d = _mm_unpacklo_epi8(eight(rows[6]), eight(rows[7]));
  const __m128i top[2] = {_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)};
  const __m128i low[2] = {_mm_unpacklo_epi16(c, d), _mm_unpackhi_epi16(c, d)};
  for (std::ptrdiff_t i = 0; i < 2; ++i) {
    const __m128i pairs[2] = {_mm_unpacklo_epi32(top[i], low[i]),
                              _mm_unpackhi_epi32(top[i], low[i])};
    for (std::ptrdiff_t k = 0; k < 2; ++k) {
      float* to = block + (4 * i + 2 * k) * kLanes;
      _mm256_storeu_ps(to, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(pairs[k])));
      const __m128i second = _mm_srli_si128(pairs[k], 8);
      _mm256_storeu_ps(to + kLanes, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(second)));
    }
  }
}

void spread(const std::uint8_t* const* rows, int n, float* block) {
  const std::uint8_t* at[kLanes];
  std::ptrdiff_t j = 0;
  for (; j + 8 <= n; j += 8) {
    for (std::ptrdiff_t i = 0; i < kLanes; ++i) at[i] = rows[i] + j;
    spread_8(at, block + j * kLanes);
  }
  if (j == n) return;
  std::uint8_t tail[kLanes][8] = {};
  for (std::ptrdiff_t i = 0; i < kLanes; ++i) {
    std::memcpy(tail[i], rows[i] + j, static_cast<std::size_t>(n - j));
    at[i] = tail[i];
  }
  spread_8(at, block + j * kLanes);
}

void across(const float* block, const Taps& taps, float* columns) {
  constexpr std::ptrdiff_t kPixel = std::ptrdiff_t{3} * kLanes;
  for (std::ptrdiff_t x = 0; x < taps.n_out; ++x) {
    const float* from = block + taps.first[x] * kPixel;
    const float* weight = taps.weight + x * taps.most;
    const std::int64_t count = taps.count[x];
    const std::int64_t fused = grouped(count);
    __m256 w = _mm256_broadcast_ss(weight);
    __m256 r = _mm256_mul_ps(_mm256_loadu_ps(from), w);
    __m256 g = _mm256_mul_ps(_mm256_loadu_ps(from + kLanes), w);
    __m256 b = _mm256_mul_ps(_mm256_loadu_ps(from + std::ptrdiff_t{2} * kLanes), w);
    std::int64_t k = 1;
    for (; k < fused; ++k) {
      w = _mm256_broadcast_ss(weight + k);
      const float* at = from + k * kPixel;
      r = _mm256_add_ps(r, _mm256_mul_ps(_mm256_loadu_ps(at), w));
      g = _mm256_add_ps(g, _mm256_mul_ps(_mm256_loadu_ps(at + kLanes), w));
      b = _mm256_add_ps(
          b, _mm256_mul_ps(_mm256_loadu_ps(at + std::ptrdiff_t{2} * kLanes), w));
    }
    for (; k < count; ++k) {
      w = _mm256_broadcast_ss(weight + k);
      const float* at = from + k * kPixel;
      r = _mm256_fmadd_ps(_mm256_loadu_ps(at), w, r);
      g = _mm256_fmadd_ps(_mm256_loadu_ps(at + kLanes), w, g);
      b = _mm256_fmadd_ps(_mm256_loadu_ps(at + std::ptrdiff_t{2} * kLanes), w, b);
    }
    float* to = columns + x * kPixel;
    _mm256_storeu_ps(to, r);
    _mm256_storeu_ps(to + kLanes, g);
    _mm256_storeu_ps(to + std::ptrdiff_t{2} * kLanes, b);
  }
}

/// Four columns of four rows, in each half, turned.
void turn_4(const float* from, __m256 (&out)[4]) {
  const __m256 a = _mm256_loadu_ps(from);
  const __m256 b = _mm256_loadu_ps(from + kLanes);
  const __m256 c = _mm256_loadu_ps(from + std::ptrdiff_t{2} * kLanes);
  const __m256 d = _mm256_loadu_ps(from + std::ptrdiff_t{3} * kLanes);
  const __m256 ab[2] = {_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)};
  const __m256 cd[2] = {_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d)};
  for (std::ptrdiff_t i = 0; i < 2; ++i) {
    out[2 * i] = _mm256_shuffle_ps(ab[i], cd[i], 0x44);
    out[2 * i + 1] = _mm256_shuffle_ps(ab[i], cd[i], 0xEE);
  }
}

void gather(const float* columns, int n, float* const* rows) {
  for (std::ptrdiff_t j = 0; j < n; j += kLanes) {
    __m256 left[4], right[4];
    turn_4(columns + j * kLanes, left);
    turn_4(columns + (j + 4) * kLanes, right);
    for (int i = 0; i < 4; ++i) {
      _mm256_storeu_ps(rows[i] + j, _mm256_permute2f128_ps(left[i], right[i], 0x20));
      _mm256_storeu_ps(rows[i + 4] + j,
                       _mm256_permute2f128_ps(left[i], right[i], 0x31));
    }
  }
}

void down(const float* const* rows, const float* weight, std::int64_t count, int n,
          std::uint8_t* out) {
  const std::int64_t fused = grouped(count);
  for (std::ptrdiff_t j = 0; j < n; j += kLanes) {
    __m256 sum =
        _mm256_mul_ps(_mm256_loadu_ps(rows[0] + j), _mm256_broadcast_ss(weight));
    std::int64_t k = 1;
    for (; k < fused; ++k) {
      sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(rows[k] + j),
                                             _mm256_broadcast_ss(weight + k)));
    }
    for (; k < count; ++k) {
      sum = _mm256_fmadd_ps(_mm256_loadu_ps(rows[k] + j),
                            _mm256_broadcast_ss(weight + k), sum);
    }
    const __m256 inside =
        _mm256_min_ps(_mm256_max_ps(sum, _mm256_setzero_ps()), _mm256_set1_ps(255.0F));
    const __m256i whole = _mm256_cvtps_epi32(inside);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole),
                                          _mm256_extracti128_si256(whole, 1));
    const __m128i bytes = _mm_packus_epi16(words, words);
    if (j + kLanes <= n) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out + j), bytes);
    } else {
      std::uint8_t tail[16];
      _mm_storeu_si128(reinterpret_cast<__m128i*>(tail), bytes);
      std::memcpy(out + j, tail, static_cast<std::size_t>(n - j));
    }
  }
}

}  // namespace
}  // namespace edgeval::floats

EDGEVAL_TARGET_END

#endif

namespace edgeval::floats {

const Kernels* avx2_kernels() {
#if defined(__x86_64__)
  static constexpr Kernels kKernels = {Path::kAvx2, "avx2", spread,
                                       across,      gather, down};
  static const bool here =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return here ? &kKernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::floats
