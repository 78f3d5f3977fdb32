#include "core/simd_avx2.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

#include "core/resize.hpp"
#include "core/simd_pack.hpp"
#include "core/simd_target.hpp"

namespace edgeval::pixels::avx2 {
namespace {

constexpr int kGroup = 8;  // outputs of one step of the horizontal kernel
constexpr int kHalf = kGroup / 2;
constexpr int kLoad = 16;  // bytes

}  // namespace

HorizontalPack pack(const Axis& axis) {
  return fits(axis, kHalf, kLoad) ? pack_near(axis, kGroup, kHalf, kLoad)
                                  : pack_wide(axis, 16);
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
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
}

/// Eight sums per plane, shifted and clamped, to eight bytes of each plane.
void put_8(const __m256i (&sum)[3], __m128i shift, const Row& out, int i) {
  const __m256i red = _mm256_sra_epi32(sum[0], shift);
  const __m256i green = _mm256_sra_epi32(sum[1], shift);
  const __m256i blue = _mm256_sra_epi32(sum[2], shift);
  const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(red, green),
                                            _mm256_packs_epi32(blue, blue));
  const __m256i in_order =
      _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 2, 6));
  const __m128i low = _mm256_castsi256_si128(in_order);
  const __m128i high = _mm256_extracti128_si256(in_order, 1);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[0] + i), low);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[1] + i),
                   _mm_unpackhi_epi64(low, low));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out.plane[2] + i), high);
}

void horizontal_near(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const __m256i half =
      _mm256_set1_epi32(pack.precision > 0 ? 1 << (pack.precision - 1) : 0);
  const __m128i shift = _mm_cvtsi32_si128(pack.precision);
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (int i = 0; i < pack.n_out; i += kGroup) {
    __m256i sum[3] = {half, half, half};
    for (int from = 0; from < pairs; from += pack.per_load) {
      __m256i source[3];
      for (int c = 0; c < 3; ++c) {
        source[c] = load_halves(in.plane[c] + first[0] + 2 * from,
                                in.plane[c] + first[1] + 2 * from);
      }
      const int left = pairs - from;
      const int until = left < pack.per_load ? left : pack.per_load;
      for (int k = 0; k < until; ++k, weight += 2 * kGroup) {
        const __m256i which = load(shuffle + 32 * k);
        const __m256i w = load(weight);
        for (int c = 0; c < 3; ++c) {
          sum[c] = _mm256_add_epi32(
              sum[c], _mm256_madd_epi16(_mm256_shuffle_epi8(source[c], which), w));
        }
      }
    }
    shuffle += 32 * pack.per_load;
    first += 2;
    put_8(sum, shift, out, i);
  }
}

int total(__m256i sums) {
  const __m128i four =
      _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

void horizontal_wide(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int half = pack.precision > 0 ? 1 << (pack.precision - 1) : 0;
  for (int c = 0; c < 3; ++c) {
    const std::int16_t* weight = pack.weight.data();
    for (int i = 0; i < pack.n_out; ++i, weight += pack.taps) {
      const std::uint8_t* window = in.plane[c] + pack.first[i];
      __m256i sums = _mm256_setzero_si256();
      for (int k = 0; k < pack.taps; k += 16) {
        const __m256i source = _mm256_cvtepu8_epi16(load_128(window + k));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(source, load(weight + k)));
      }
      const int value = (total(sums) + half) >> pack.precision;
      out.plane[c][i] = static_cast<std::uint8_t>(value < 0     ? 0
                                                  : value > 255 ? 255
                                                                : value);
    }
  }
}

}  // namespace

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.lanes == 1) {
    horizontal_wide(pack, in, out);
  } else {
    horizontal_near(pack, in, out);
  }
}

namespace {

/// Two weights side by side in every 32 bits; the second is 0 past the last tap.
__m256i weight_pair(const std::int16_t* weight, int k, int taps) {
  const auto first = static_cast<std::uint16_t>(weight[k]);
  const auto second = static_cast<std::uint16_t>(k + 1 < taps ? weight[k + 1] : 0);
  return _mm256_set1_epi32(
      static_cast<int>(first | (static_cast<std::uint32_t>(second) << 16)));
}

}  // namespace

void vertical(const std::uint8_t* const* rows, const std::int16_t* weight, int taps,
              int precision, int width, std::uint8_t* out) {
  const __m256i half = _mm256_set1_epi32(precision > 0 ? 1 << (precision - 1) : 0);
  const __m128i shift = _mm_cvtsi32_si128(precision);
  const __m256i zero = _mm256_setzero_si256();
  for (int x = 0; x < width; x += 32) {
    __m256i sum[4] = {half, half, half, half};
    for (int k = 0; k < taps; k += 2) {
      const __m256i w = weight_pair(weight, k, taps);
      const __m256i a = load(rows[k] + x);
      const __m256i b = load(rows[k + 1 < taps ? k + 1 : k] + x);
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

}  // namespace edgeval::pixels::avx2

EDGEVAL_TARGET_END

#endif
