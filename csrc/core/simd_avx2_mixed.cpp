#include "core/simd_avx2.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "core/scaler.hpp"
#include "core/simd_scalar.hpp"
#include "core/simd_target.hpp"

EDGEVAL_TARGET_BEGIN("avx2,f16c")

namespace edgeval::pixels::avx2 {
namespace {

__m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

/// 16 samples from number x on, none above its top.
template <int kDepth>
__m256i samples(const std::uint8_t* in, std::ptrdiff_t x) {
  if constexpr (kDepth == 8) {
    return _mm256_cvtepu8_epi16(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + x)));
  } else {
    return _mm256_min_epu16(load(in + 2 * x), _mm256_set1_epi16((1 << kDepth) - 1));
  }
}

template <int kDepth>
void widen_depth(const std::uint8_t* in, int width, bool quarter, std::int16_t* out) {
  const std::ptrdiff_t step = quarter ? 1 : 0;
  std::ptrdiff_t x = 0;
  for (; x + 16 + step <= width; x += 16) {
    const __m256i here = samples<kDepth>(in, x);
    const __m256i next = samples<kDepth>(in, x + step);
    const __m256i sum =
        _mm256_add_epi16(_mm256_add_epi16(here, next), _mm256_slli_epi16(here, 1));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x),
                        _mm256_slli_epi16(sum, 13 - kDepth));
  }
  scalar::widen(in + x * (kDepth > 8 ? 2 : 1), kDepth, width - static_cast<int>(x),
                quarter, out + x);
}

/// (low, high) of each pair of neighbouring 16-bit numbers of a and b times those of
/// w, and the sum shifted right.
template <int kShift>
__m256i weighed(__m256i a, __m256i b, __m256i w, __m256i half) {
  const __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w);
  const __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w);
  return _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(low, half), kShift),
                            _mm256_srai_epi32(_mm256_add_epi32(high, half), kShift));
}

__m256i pair(int low, int high) {
  return _mm256_set1_epi32(static_cast<int>(static_cast<unsigned>(low & 0xFFFF) |
                                            (static_cast<unsigned>(high) << 16)));
}

class Mixer {
 public:
  Mixer(const PlaceColor& color, int weight)
      : color_(color),
        weights_(pair(4096 - weight, weight)),
        gain_(pair(color.gain, color.bias)) {}

  /// 16 chroma samples, 8 bits.
  [[nodiscard]] __m256i chroma(const std::array<const std::int16_t*, 2>& rows,
                               std::ptrdiff_t x) const {
    const __m256i mixed = weighed<19>(load(rows[0] + x), load(rows[1] + x), weights_,
                                      _mm256_set1_epi32(1 << 18));
    return _mm256_min_epi16(mixed, _mm256_set1_epi16(255));
  }

  /// How far 16 chroma samples move the place of a luma step.
  static __m256i place(const PlaceFactors& factors, __m256i sample) {
    const __m256i part = _mm256_mulhi_epu16(
        sample, _mm256_set1_epi16(static_cast<std::int16_t>(factors.part)));
    const __m256i whole = _mm256_mullo_epi16(sample, _mm256_set1_epi16(factors.whole));
    return _mm256_add_epi16(_mm256_add_epi16(part, whole),
                            _mm256_set1_epi16(factors.start));
  }

  /// Numbers whose clamp to u8 are the bytes at 16 places.
  [[nodiscard]] __m256i at(__m256i places) const {
    const __m256i more =
        weighed<16>(places, _mm256_set1_epi16(1), gain_, _mm256_setzero_si256());
    return _mm256_add_epi16(_mm256_add_epi16(places, more),
                            _mm256_set1_epi16(color_.base));
  }

 private:
  const PlaceColor& color_;
  __m256i weights_;
  __m256i gain_;
};

struct EvenOdd {
  __m256i even;
  __m256i odd;
};

/// 32 luma samples as 8 bits, even and odd ones apart.
template <int kDepth>
EvenOdd luma_32(const std::uint8_t* in, std::ptrdiff_t x) {
  if constexpr (kDepth == 8) {
    const __m256i both = load(in + x);
    return {_mm256_and_si256(both, _mm256_set1_epi16(0xFF)),
            _mm256_srli_epi16(both, 8)};
  } else {
    constexpr int kShift = kDepth - 8;
    const __m256i half = _mm256_set1_epi16(1 << (kShift - 1));
    const __m256i a =
        _mm256_srli_epi16(_mm256_add_epi16(samples<kDepth>(in, x), half), kShift);
    const __m256i b =
        _mm256_srli_epi16(_mm256_add_epi16(samples<kDepth>(in, x + 16), half), kShift);
    const __m256i low = _mm256_set1_epi32(0xFFFF);
    const __m256i even =
        _mm256_packus_epi32(_mm256_and_si256(a, low), _mm256_and_si256(b, low));
    const __m256i odd =
        _mm256_packus_epi32(_mm256_srli_epi32(a, 16), _mm256_srli_epi32(b, 16));
    return {_mm256_permute4x64_epi64(even, 0xD8), _mm256_permute4x64_epi64(odd, 0xD8)};
  }
}

/// Even and odd pixels, 16 bits each, to 32 bytes in order.
__m256i pack_even_odd(__m256i even, __m256i odd) {
  const __m256i zip =
      _mm256_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
                       0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  return _mm256_shuffle_epi8(_mm256_packus_epi16(even, odd), zip);
}

/// 32 pixels from number x on; `luma` begins with theirs.
template <int kDepth>
void mixed_32(const PlaceColor& color, const Mixer& mixer, const std::uint8_t* luma,
              const ChromaRows& chroma, std::ptrdiff_t x, const Row& out) {
  const __m256i u = mixer.chroma(chroma.u, x / 2);
  const __m256i v = mixer.chroma(chroma.v, x / 2);
  const __m256i green =
      _mm256_add_epi16(Mixer::place(color.u_to_g, u), Mixer::place(color.v_to_g, v));
  const __m256i move[3] = {Mixer::place(color.v_to_r, v), green,
                           Mixer::place(color.u_to_b, u)};
  const EvenOdd y = luma_32<kDepth>(luma, 0);
  for (int c = 0; c < 3; ++c) {
    const __m256i even = mixer.at(_mm256_add_epi16(y.even, move[c]));
    const __m256i odd = mixer.at(_mm256_add_epi16(y.odd, move[c]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.plane[c] + x),
                        pack_even_odd(even, odd));
  }
}

template <int kDepth>
void mixed_depth(const PlaceColor& color, const std::uint8_t* luma,
                 const ChromaRows& chroma, int width, const Row& out) {
  constexpr std::ptrdiff_t kBytes = kDepth > 8 ? 2 : 1;
  const Mixer mixer(color, chroma.weight);
  std::ptrdiff_t x = 0;
  for (; x + 32 <= width; x += 32) {
    mixed_32<kDepth>(color, mixer, luma + x * kBytes, chroma, x, out);
  }
  if (x == width) return;
  std::uint8_t tail[32 * kBytes] = {};
  std::memcpy(tail, luma + x * kBytes, static_cast<std::size_t>((width - x) * kBytes));
  mixed_32<kDepth>(color, mixer, tail, chroma, x, out);
}

}  // namespace

void widen(const std::uint8_t* in, int bit_depth, int width, bool quarter,
           std::int16_t* out) {
  (bit_depth == 8 ? widen_depth<8> : widen_depth<10>)(in, width, quarter, out);
}

void mixed_row(const PlaceColor& color, const std::uint8_t* luma, int bit_depth,
               const ChromaRows& chroma, int width, Row out) {
  (bit_depth == 8 ? mixed_depth<8> : mixed_depth<10>)(color, luma, chroma, width, out);
}

}  // namespace edgeval::pixels::avx2

EDGEVAL_TARGET_END

#endif
