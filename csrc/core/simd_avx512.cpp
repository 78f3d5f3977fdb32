#include "core/simd_avx2.hpp"

#if defined(__x86_64__)

#if !defined(__clang__)
// GCC 12's own avx512 headers pass deliberately undefined vectors about (its bug
// 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "core/color.hpp"
#include "core/resize.hpp"
#include "core/simd_pack.hpp"
#include "core/simd_target.hpp"

namespace edgeval::pixels {
namespace {

constexpr std::ptrdiff_t kGroup = 16;  // outputs of one step of the horizontal kernel
constexpr int kLoad = 64;              // bytes

HorizontalPack pack(const Axis& axis) {
  if (axis.coarse && fits(axis, kGroup, kLoad, 4)) {
    return pack_quads(axis, kGroup, kGroup, kLoad);
  }
  if (!axis.coarse && fits(axis, kGroup, kLoad, 2)) {
    return pack_pairs(axis, kGroup, kGroup, kLoad);
  }
  return avx2::pack(axis);
}

}  // namespace
}  // namespace edgeval::pixels

EDGEVAL_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")

namespace edgeval::pixels {
namespace {

__m512i load(const void* from) { return _mm512_loadu_si512(from); }

/// 32 chroma samples, less their zero, times 8.
__m512i chroma(const std::uint8_t* from) {
  const __m512i wide =
      _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  return _mm512_sub_epi16(_mm512_slli_epi16(wide, 3), _mm512_set1_epi16(1024));
}

/// Even and odd pixels, 16 bits each, to 64 bytes in order.
__m512i pack_even_odd(__m512i even, __m512i odd) {
  const __m512i zip = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
  return _mm512_shuffle_epi8(_mm512_packus_epi16(even, odd), zip);
}

/// 64 pixels: y[64], u[32], v[32]. As avx2::yuv_row, twice as wide.
void yuv_64(const ColorFactors& f, const std::uint8_t* y, const std::uint8_t* u,
            const std::uint8_t* v, const Row& out, int x) {
  const __m512i factor = _mm512_set1_epi16(f.y);
  const __m512i offset = _mm512_set1_epi16(f.y_offset);
  const __m512i times_8 = _mm512_set1_epi16(0x07F8);
  const __m512i luma = load(y);
  const __m512i low = _mm512_and_si512(_mm512_slli_epi16(luma, 3), times_8);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(luma, 5), times_8);
  const __m512i even = _mm512_mulhi_epi16(_mm512_sub_epi16(low, offset), factor);
  const __m512i odd = _mm512_mulhi_epi16(_mm512_sub_epi16(high, offset), factor);
  const __m512i cb = chroma(u);
  const __m512i cr = chroma(v);
  const __m512i green =
      _mm512_add_epi16(_mm512_mulhi_epi16(cb, _mm512_set1_epi16(f.u_to_g)),
                       _mm512_mulhi_epi16(cr, _mm512_set1_epi16(f.v_to_g)));
  const __m512i shift[3] = {_mm512_mulhi_epi16(cr, _mm512_set1_epi16(f.v_to_r)), green,
                            _mm512_mulhi_epi16(cb, _mm512_set1_epi16(f.u_to_b))};
  for (int c = 0; c < 3; ++c) {
    _mm512_storeu_si512(out.plane[c] + x,
                        pack_even_odd(_mm512_add_epi16(even, shift[c]),
                                      _mm512_add_epi16(odd, shift[c])));
  }
}

void yuv_row(const ColorFactors& factors, const std::uint8_t* y, const std::uint8_t* u,
             const std::uint8_t* v, int width, Row out) {
  int x = 0;
  for (; x + 64 <= width; x += 64) {
    yuv_64(factors, y + x, u + x / 2, v + x / 2, out, x);
  }
  if (x == width) return;
  std::uint8_t tail[3][64] = {};
  const std::size_t left = static_cast<std::size_t>(width - x);
  std::memcpy(tail[0], y + x, left);
  std::memcpy(tail[1], u + x / 2, (left + 1) / 2);
  std::memcpy(tail[2], v + x / 2, (left + 1) / 2);
  yuv_64(factors, tail[0], tail[1], tail[2], out, x);
}

/// The sums of 16 outputs, shifted and clamped to bytes.
__m128i to_bytes(__m512i sum, __m128i shift) {
  const __m512i value = _mm512_sra_epi32(sum, shift);
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(value, _mm512_setzero_si512()));
}

void horizontal_exact(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const __m512i half = _mm512_set1_epi32(pack.half());
  const __m128i shift = _mm_cvtsi32_si128(pack.precision);
  constexpr __mmask64 kLowBytes = 0x5555555555555555ULL;
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    __m512i sum[3] = {half, half, half};
    for (std::ptrdiff_t from = 0; from < pairs; from += pack.per_load) {
      __m512i source[3];
      for (int c = 0; c < 3; ++c) {
        source[c] = load(in.plane[c] + *first + 2 * from);
      }
      for (std::ptrdiff_t k = 0; k < pack.per_load; ++k, weight += 2 * kGroup) {
        const __m512i which = load(shuffle + 64 * k);
        const __m512i w = load(weight);
        for (int c = 0; c < 3; ++c) {
          const __m512i taps =
              _mm512_maskz_permutexvar_epi8(kLowBytes, which, source[c]);
          sum[c] = _mm512_dpwssd_epi32(sum[c], taps, w);
        }
      }
    }
    shuffle += 64 * pack.per_load;
    ++first;
    for (int c = 0; c < 3; ++c) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out.plane[c] + i),
                       to_bytes(sum[c], shift));
    }
  }
}

/// Taps by four in bytes.
void horizontal_coarse(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int quads = pack.taps / 4;
  const __m512i half = _mm512_set1_epi32(pack.half());
  const __m128i shift = _mm_cvtsi32_si128(pack.precision);
  const std::int8_t* weight = pack.quads.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    __m512i sum[3] = {half, half, half};
    for (std::ptrdiff_t from = 0; from < quads; from += pack.per_load) {
      __m512i source[3];
      for (int c = 0; c < 3; ++c) {
        source[c] = load(in.plane[c] + *first + 4 * from);
      }
      for (std::ptrdiff_t k = 0; k < pack.per_load; ++k, weight += 4 * kGroup) {
        const __m512i which = load(shuffle + 64 * k);
        const __m512i w = load(weight);
        for (int c = 0; c < 3; ++c) {
          const __m512i taps = _mm512_permutexvar_epi8(which, source[c]);
          sum[c] = _mm512_dpbusd_epi32(sum[c], taps, w);
        }
      }
    }
    shuffle += 64 * pack.per_load;
    ++first;
    for (int c = 0; c < 3; ++c) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out.plane[c] + i),
                       to_bytes(sum[c], shift));
    }
  }
}

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.lanes != kGroup) {
    avx2::horizontal(pack, in, out);
  } else if (pack.coarse) {
    horizontal_coarse(pack, in, out);
  } else {
    horizontal_exact(pack, in, out);
  }
}

__m512i repeat(std::uint32_t pair) { return _mm512_set1_epi32(static_cast<int>(pair)); }

void vertical_exact(const std::uint8_t* const* rows, const Window& window, int width,
                    std::uint8_t* out) {
  const __m512i half = _mm512_set1_epi32(window.half());
  const __m128i shift = _mm_cvtsi32_si128(window.precision);
  const __m512i zero = _mm512_setzero_si512();
  for (int x = 0; x < width; x += 64) {
    __m512i sum[4] = {half, half, half, half};
    for (int k = 0; k < window.taps; k += 2) {
      const __m512i w = repeat(window.pairs[k / 2]);
      const __m512i a = load(rows[k] + x);
      const __m512i b = load(rows[k + 1] + x);
      const __m512i low = _mm512_unpacklo_epi8(a, b);
      const __m512i high = _mm512_unpackhi_epi8(a, b);
      sum[0] = _mm512_dpwssd_epi32(sum[0], _mm512_unpacklo_epi8(low, zero), w);
      sum[1] = _mm512_dpwssd_epi32(sum[1], _mm512_unpackhi_epi8(low, zero), w);
      sum[2] = _mm512_dpwssd_epi32(sum[2], _mm512_unpacklo_epi8(high, zero), w);
      sum[3] = _mm512_dpwssd_epi32(sum[3], _mm512_unpackhi_epi8(high, zero), w);
    }
    for (__m512i& s : sum) s = _mm512_sra_epi32(s, shift);
    // Unpacking and packing keep to 16-byte lanes, so pixels come back in order.
    _mm512_storeu_si512(out + x,
                        _mm512_packus_epi16(_mm512_packs_epi32(sum[0], sum[1]),
                                            _mm512_packs_epi32(sum[2], sum[3])));
  }
}

/// Sums in 16 bits that may wrap on their way.
void vertical_coarse(const std::uint8_t* const* rows, const Window& window, int width,
                     std::uint8_t* out) {
  const __m512i start = _mm512_set1_epi16(static_cast<short>(window.half() - kBias));
  const __m512i unbias =
      _mm512_set1_epi16(static_cast<short>(kBias >> window.precision));
  const __m128i shift = _mm_cvtsi32_si128(window.precision);
  for (int x = 0; x < width; x += 64) {
    __m512i low = start;
    __m512i high = start;
    for (int k = 0; k < window.taps; k += 2) {
      const __m512i w = repeat(window.pairs[k / 2]);
      const __m512i a = load(rows[k] + x);
      const __m512i b = load(rows[k + 1] + x);
      low = _mm512_add_epi16(low, _mm512_maddubs_epi16(_mm512_unpacklo_epi8(a, b), w));
      high =
          _mm512_add_epi16(high, _mm512_maddubs_epi16(_mm512_unpackhi_epi8(a, b), w));
    }
    low = _mm512_add_epi16(_mm512_sra_epi16(low, shift), unbias);
    high = _mm512_add_epi16(_mm512_sra_epi16(high, shift), unbias);
    _mm512_storeu_si512(out + x, _mm512_packus_epi16(low, high));
  }
}

void vertical(const std::uint8_t* const* rows, const Window& window, int width,
              std::uint8_t* out) {
  (window.coarse ? vertical_coarse : vertical_exact)(rows, window, width, out);
}

/// (float(u8) - mean) / std of up to 16 pixels.
__m512 normal(__mmask16 some, const std::uint8_t* in, float mean, float std) {
  const __m512 value =
      _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(some, in)));
  return _mm512_div_ps(_mm512_sub_ps(value, _mm512_set1_ps(mean)), _mm512_set1_ps(std));
}

__mmask16 up_to_16(int left) {
  return static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
}

void normalise_f32(const std::uint8_t* in, int width, float mean, float std,
                   float* out) {
  for (int x = 0; x < width; x += 16) {
    const __mmask16 some = up_to_16(width - x);
    _mm512_mask_storeu_ps(out + x, some, normal(some, in + x, mean, std));
  }
}

void normalise_f16(const std::uint8_t* in, int width, float mean, float std,
                   std::uint16_t* out) {
  for (int x = 0; x < width; x += 16) {
    const __mmask16 some = up_to_16(width - x);
    _mm256_mask_storeu_epi16(
        out + x, some,
        _mm512_cvtps_ph(normal(some, in + x, mean, std), _MM_FROUND_TO_NEAREST_INT));
  }
}

}  // namespace
}  // namespace edgeval::pixels

EDGEVAL_TARGET_END

#endif

namespace edgeval::pixels {

const Kernels* avx512_kernels() {
#if defined(__x86_64__)
  static constexpr Kernels kKernels = {
      Path::kAvx512, "avx512", yuv_row,    avx2::widen, avx2::mixed_row, avx2::split,
      avx2::join,    pack,     horizontal, vertical,    normalise_f32,   normalise_f16,
  };
  static const bool here =
      avx2_kernels() != nullptr && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
  return here ? &kKernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::pixels
