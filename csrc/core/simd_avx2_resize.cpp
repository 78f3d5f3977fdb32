#include "core/simd_avx2.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstddef>

#include "core/resize.hpp"
#include "core/simd_pack.hpp"
#include "core/simd_target.hpp"

namespace edgeval::pixels::avx2 {
namespace {

constexpr std::ptrdiff_t kGroup = 8;  // outputs of one step of the horizontal kernels
constexpr int kLanes = 4;             // of one half of a vector
constexpr int kLoad = 16;             // bytes

}  // namespace

HorizontalPack pack(const Axis& axis) {
  if (axis.coarse && fits(axis, kLanes, kLoad, 4)) {
    return pack_quads(axis, kGroup, kLanes, kLoad);
  }
  if (!axis.coarse && fits(axis, kLanes, kLoad, 2)) {
    return pack_pairs(axis, kGroup, kLanes, kLoad);
  }
  return pack_wide(axis, 16);
}

}  // namespace edgeval::pixels::avx2

EDGEVAL_TARGET_BEGIN("avx2,f16c")

namespace edgeval::pixels::avx2 {
namespace {

__m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

void store(void* to, __m256i value) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), value);
}

__m128i load_128(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

/// 16 bytes at each address, the first in the low half.
__m256i load_halves(const std::uint8_t* low, const std::uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load_128(low)), load_128(high),
                                 1);
}

/// Four bytes each of red, green, blue and whatever, in both halves, to eight bytes of
/// each plane.
void put_8(__m256i bytes, const Row& out, std::ptrdiff_t i) {
  const __m256i in_order =
      _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 2, 6));
  const __m128i low = _mm256_castsi256_si128(in_order);
  const __m128i high = _mm256_extracti128_si256(in_order, 1);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[0] + i), low);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[1] + i),
                   _mm_unpackhi_epi64(low, low));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[2] + i), high);
}

void horizontal_exact(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const __m256i half = _mm256_set1_epi32(pack.half());
  const __m128i shift = _mm_cvtsi32_si128(pack.precision);
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    __m256i sum[3] = {half, half, half};
    for (std::ptrdiff_t from = 0; from < pairs; from += pack.per_load) {
      __m256i source[3];
      for (int c = 0; c < 3; ++c) {
        source[c] = load_halves(in.plane[c] + first[0] + 2 * from,
                                in.plane[c] + first[1] + 2 * from);
      }
      for (std::ptrdiff_t k = 0; k < pack.per_load; ++k, weight += 2 * kGroup) {
        const __m256i which = load(shuffle + 32 * k);
        const __m256i w = load(weight);
        for (int c = 0; c < 3; ++c) {
          const __m256i taps = _mm256_shuffle_epi8(source[c], which);
          sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(taps, w));
        }
      }
    }
    shuffle += 32 * pack.per_load;
    first += 2;
    for (__m256i& s : sum) s = _mm256_sra_epi32(s, shift);
    put_8(_mm256_packus_epi16(_mm256_packs_epi32(sum[0], sum[1]),
                              _mm256_packs_epi32(sum[2], sum[2])),
          out, i);
  }
}

/// Taps by four in bytes, sums in 16 bits that may wrap on their way. With kPerLoad
/// known the inner loop is unrolled, which is worth a quarter of the time.
template <std::ptrdiff_t kPerLoad>
void horizontal_coarse(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int quads = pack.taps / 4;
  // Each output has two sums, added in the end; one takes the rounding and the bias.
  const __m256i start = _mm256_set1_epi32((pack.half() - kBias) & 0xFFFF);
  const __m256i unbias = _mm256_set1_epi16(static_cast<short>(kBias >> pack.precision));
  const __m128i shift = _mm_cvtsi32_si128(pack.precision);
  const std::int8_t* weight = pack.quads.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    __m256i sum[3] = {start, start, start};
    for (std::ptrdiff_t from = 0; from < quads; from += kPerLoad) {
      __m256i source[3];
      for (int c = 0; c < 3; ++c) {
        source[c] = load_halves(in.plane[c] + first[0] + 4 * from,
                                in.plane[c] + first[1] + 4 * from);
      }
      for (std::ptrdiff_t k = 0; k < kPerLoad; ++k, weight += 4 * kGroup) {
        const __m256i which = load(shuffle + 32 * k);
        const __m256i w = load(weight);
        for (int c = 0; c < 3; ++c) {
          const __m256i taps = _mm256_shuffle_epi8(source[c], which);
          sum[c] = _mm256_add_epi16(sum[c], _mm256_maddubs_epi16(taps, w));
        }
      }
    }
    shuffle += 32 * kPerLoad;
    first += 2;
    __m256i two[2] = {_mm256_hadd_epi16(sum[0], sum[1]),
                      _mm256_hadd_epi16(sum[2], sum[2])};
    for (__m256i& s : two) s = _mm256_add_epi16(_mm256_sra_epi16(s, shift), unbias);
    put_8(_mm256_packus_epi16(two[0], two[1]), out, i);
  }
}

int total(__m256i sums) {
  const __m128i four =
      _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

/// One output at a time.
void horizontal_wide(const HorizontalPack& pack, const Row& in, const Row& out) {
  for (int c = 0; c < 3; ++c) {
    const std::int16_t* weight = pack.weight.data();
    for (int i = 0; i < pack.n_out; ++i, weight += pack.taps) {
      const std::uint8_t* window =
          in.plane[c] + pack.first[static_cast<std::size_t>(i)];
      __m256i sums = _mm256_setzero_si256();
      for (int k = 0; k < pack.taps; k += 16) {
        const __m256i source = _mm256_cvtepu8_epi16(load_128(window + k));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(source, load(weight + k)));
      }
      const int value = (total(sums) + pack.half()) >> pack.precision;
      out.plane[c][i] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

__m256i repeat(std::uint32_t pair) { return _mm256_set1_epi32(static_cast<int>(pair)); }

void vertical_exact(const std::uint8_t* const* rows, const Window& window, int width,
                    std::uint8_t* out) {
  const __m256i half = _mm256_set1_epi32(window.half());
  const __m128i shift = _mm_cvtsi32_si128(window.precision);
  const __m256i zero = _mm256_setzero_si256();
  for (int x = 0; x < width; x += 32) {
    __m256i sum[4] = {half, half, half, half};
    for (int k = 0; k < window.taps; k += 2) {
      const __m256i w = repeat(window.pairs[k / 2]);
      const __m256i a = load(rows[k] + x);
      const __m256i b = load(rows[k + 1] + x);
      const __m256i low = _mm256_unpacklo_epi8(a, b);
      const __m256i high = _mm256_unpackhi_epi8(a, b);
      const __m256i four[4] = {
          _mm256_unpacklo_epi8(low, zero), _mm256_unpackhi_epi8(low, zero),
          _mm256_unpacklo_epi8(high, zero), _mm256_unpackhi_epi8(high, zero)};
      for (int j = 0; j < 4; ++j) {
        sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(four[j], w));
      }
    }
    for (__m256i& s : sum) s = _mm256_sra_epi32(s, shift);
    // Unpacking and packing keep to 16-byte lanes, so pixels come back in order.
    store(out + x, _mm256_packus_epi16(_mm256_packs_epi32(sum[0], sum[1]),
                                       _mm256_packs_epi32(sum[2], sum[3])));
  }
}

/// Sums in 16 bits that may wrap on their way.
void vertical_coarse(const std::uint8_t* const* rows, const Window& window, int width,
                     std::uint8_t* out) {
  const __m256i start = _mm256_set1_epi16(static_cast<short>(window.half() - kBias));
  const __m256i unbias =
      _mm256_set1_epi16(static_cast<short>(kBias >> window.precision));
  const __m128i shift = _mm_cvtsi32_si128(window.precision);
  for (int x = 0; x < width; x += 32) {
    __m256i low = start;
    __m256i high = start;
    for (int k = 0; k < window.taps; k += 2) {
      const __m256i w = repeat(window.pairs[k / 2]);
      const __m256i a = load(rows[k] + x);
      const __m256i b = load(rows[k + 1] + x);
      low = _mm256_add_epi16(low, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), w));
      high =
          _mm256_add_epi16(high, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), w));
    }
    low = _mm256_add_epi16(_mm256_sra_epi16(low, shift), unbias);
    high = _mm256_add_epi16(_mm256_sra_epi16(high, shift), unbias);
    store(out + x, _mm256_packus_epi16(low, high));
  }
}

}  // namespace

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.lanes == 1) {
    horizontal_wide(pack, in, out);
  } else if (pack.coarse) {
    switch (pack.per_load) {
      case 1:
        horizontal_coarse<1>(pack, in, out);
        break;
      case 2:
        horizontal_coarse<2>(pack, in, out);
        break;
      case 3:
        horizontal_coarse<3>(pack, in, out);
        break;
      default:
        horizontal_coarse<4>(pack, in, out);
        break;
    }
  } else {
    horizontal_exact(pack, in, out);
  }
}

void vertical(const std::uint8_t* const* rows, const Window& window, int width,
              std::uint8_t* out) {
  (window.coarse ? vertical_coarse : vertical_exact)(rows, window, width, out);
}

}  // namespace edgeval::pixels::avx2

EDGEVAL_TARGET_END

#endif
