#include "core/simd_avx2.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "core/color.hpp"
#include "core/simd_scalar.hpp"
#include "core/simd_target.hpp"

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

/// Even and odd pixels, 16 bits each, to 32 bytes in order.
__m256i pack_even_odd(__m256i even, __m256i odd) {
  const __m256i zip =
      _mm256_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
                       0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  return _mm256_shuffle_epi8(_mm256_packus_epi16(even, odd), zip);
}

struct Factors {
  explicit Factors(const ColorFactors& f)
      : y(_mm256_set1_epi16(f.y)),
        v_to_r(_mm256_set1_epi16(f.v_to_r)),
        u_to_g(_mm256_set1_epi16(f.u_to_g)),
        v_to_g(_mm256_set1_epi16(f.v_to_g)),
        u_to_b(_mm256_set1_epi16(f.u_to_b)),
        y_offset(_mm256_set1_epi16(f.y_offset)) {}
  __m256i y, v_to_r, u_to_g, v_to_g, u_to_b, y_offset;
};

/// 16 chroma samples, less their zero, times 8.
__m256i chroma(const std::uint8_t* from) {
  const __m256i wide =
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return _mm256_sub_epi16(_mm256_slli_epi16(wide, 3), _mm256_set1_epi16(1024));
}

/// 32 pixels: y[32], u[16], v[16].
void yuv_32(const Factors& f, const std::uint8_t* y, const std::uint8_t* u,
            const std::uint8_t* v, const Row& out, int x) {
  const __m256i luma = load(y);
  const __m256i times_8 = _mm256_set1_epi16(0x07F8);
  const __m256i low = _mm256_and_si256(_mm256_slli_epi16(luma, 3), times_8);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(luma, 5), times_8);
  const __m256i even = _mm256_mulhi_epi16(_mm256_sub_epi16(low, f.y_offset), f.y);
  const __m256i odd = _mm256_mulhi_epi16(_mm256_sub_epi16(high, f.y_offset), f.y);
  const __m256i cb = chroma(u);
  const __m256i cr = chroma(v);
  const __m256i red = _mm256_mulhi_epi16(cr, f.v_to_r);
  const __m256i blue = _mm256_mulhi_epi16(cb, f.u_to_b);
  const __m256i green = _mm256_add_epi16(_mm256_mulhi_epi16(cb, f.u_to_g),
                                         _mm256_mulhi_epi16(cr, f.v_to_g));
  const __m256i shift[3] = {red, green, blue};
  for (int c = 0; c < 3; ++c) {
    store(out.plane[c] + x, pack_even_odd(_mm256_add_epi16(even, shift[c]),
                                          _mm256_add_epi16(odd, shift[c])));
  }
}

}  // namespace

void yuv_row(const ColorFactors& factors, const std::uint8_t* y, const std::uint8_t* u,
             const std::uint8_t* v, int width, Row out) {
  const Factors f(factors);
  int x = 0;
  for (; x + 32 <= width; x += 32) yuv_32(f, y + x, u + x / 2, v + x / 2, out, x);
  if (x == width) return;
  std::uint8_t tail[3][32] = {};
  const std::size_t left = static_cast<std::size_t>(width - x);
  std::memcpy(tail[0], y + x, left);
  std::memcpy(tail[1], u + x / 2, (left + 1) / 2);
  std::memcpy(tail[2], v + x / 2, (left + 1) / 2);
  yuv_32(f, tail[0], tail[1], tail[2], out, x);
}

namespace {

/// Shuffles that take the bytes of channel c out of the three 16-byte parts of 16
/// pixels, and the other way round; 128 gives 0.
struct Shuffles {
  alignas(16) std::uint8_t split[3][3][16];  // [channel][part]
  alignas(16) std::uint8_t join[3][3][16];   // [part][channel]
};

constexpr Shuffles make_shuffles() {
  Shuffles s{};
  for (int c = 0; c < 3; ++c) {
    for (int part = 0; part < 3; ++part) {
      for (int i = 0; i < 16; ++i) {
        const int from = 3 * i + c - 16 * part;
        s.split[c][part][i] =
            static_cast<std::uint8_t>(from >= 0 && from < 16 ? from : 128);
        const int byte = 16 * part + i;
        s.join[part][c][i] = static_cast<std::uint8_t>(byte % 3 == c ? byte / 3 : 128);
      }
    }
  }
  return s;
}

constexpr Shuffles kShuffles = make_shuffles();

__m128i pick(const std::uint8_t (&shuffles)[3][16], __m128i a, __m128i b, __m128i c) {
  return _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, load_128(shuffles[0])),
                                   _mm_shuffle_epi8(b, load_128(shuffles[1]))),
                      _mm_shuffle_epi8(c, load_128(shuffles[2])));
}

}  // namespace

void split(const std::uint8_t* rgb, int width, Row out) {
  std::ptrdiff_t x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i a = load_128(rgb + 3 * x);
    const __m128i b = load_128(rgb + 3 * x + 16);
    const __m128i d = load_128(rgb + 3 * x + 32);
    for (int c = 0; c < 3; ++c) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out.plane[c] + x),
                       pick(kShuffles.split[c], a, b, d));
    }
  }
  scalar::split(rgb + 3 * x, width - static_cast<int>(x),
                {{out.plane[0] + x, out.plane[1] + x, out.plane[2] + x}});
}

void join(Row row, int width, std::uint8_t* rgb) {
  std::ptrdiff_t x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i r = load_128(row.plane[0] + x);
    const __m128i g = load_128(row.plane[1] + x);
    const __m128i b = load_128(row.plane[2] + x);
    for (int part = 0; part < 3; ++part) {
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(rgb + 3 * x + std::ptrdiff_t{16} * part),
          pick(kShuffles.join[part], r, g, b));
    }
  }
  scalar::join({{row.plane[0] + x, row.plane[1] + x, row.plane[2] + x}},
               width - static_cast<int>(x), rgb + 3 * x);
}

namespace {

/// (float(u8) - mean) / std of eight pixels.
__m256 normal(const std::uint8_t* in, __m256 mean, __m256 std) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in));
  const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  return _mm256_div_ps(_mm256_sub_ps(value, mean), std);
}

}  // namespace

void normalise_f32(const std::uint8_t* in, int width, float mean, float std,
                   float* out) {
  const __m256 m = _mm256_set1_ps(mean);
  const __m256 s = _mm256_set1_ps(std);
  int x = 0;
  for (; x + 8 <= width; x += 8) _mm256_storeu_ps(out + x, normal(in + x, m, s));
  scalar::normalise_f32(in + x, width - x, mean, std, out + x);
}

void normalise_f16(const std::uint8_t* in, int width, float mean, float std,
                   std::uint16_t* out) {
  const __m256 m = _mm256_set1_ps(mean);
  const __m256 s = _mm256_set1_ps(std);
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x),
                     _mm256_cvtps_ph(normal(in + x, m, s), _MM_FROUND_TO_NEAREST_INT));
  }
  scalar::normalise_f16(in + x, width - x, mean, std, out + x);
}

}  // namespace edgeval::pixels::avx2

EDGEVAL_TARGET_END

#endif
