#include "core/simd.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/color.hpp"
#include "core/resize.hpp"
#include "core/simd_scalar.hpp"
#include "core/simd_target.hpp"

EDGEVAL_TARGET_BEGIN("avx2,f16c")

namespace edgeval::pixels {
namespace {

constexpr int kGroup = 8;  // outputs of one step of the horizontal kernel
constexpr int kHalf = kGroup / 2;

__m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

void store(void* to, __m256i value) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), value);
}

/// 16 bytes at each address, the first in the low half.
__m256i load_halves(const std::uint8_t* low, const std::uint8_t* high) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
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

__m128i load_128(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

__m128i pick(const std::uint8_t (&shuffles)[3][16], __m128i a, __m128i b, __m128i c) {
  return _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, load_128(shuffles[0])),
                                   _mm_shuffle_epi8(b, load_128(shuffles[1]))),
                      _mm_shuffle_epi8(c, load_128(shuffles[2])));
}

void split(const std::uint8_t* rgb, int width, Row out) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i a = load_128(rgb + 3 * x);
    const __m128i b = load_128(rgb + 3 * x + 16);
    const __m128i d = load_128(rgb + 3 * x + 32);
    for (int c = 0; c < 3; ++c) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out.plane[c] + x),
                       pick(kShuffles.split[c], a, b, d));
    }
  }
  scalar::split(rgb + 3 * x, width - x,
                {{out.plane[0] + x, out.plane[1] + x, out.plane[2] + x}});
}

void join(Row row, int width, std::uint8_t* rgb) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i r = load_128(row.plane[0] + x);
    const __m128i g = load_128(row.plane[1] + x);
    const __m128i b = load_128(row.plane[2] + x);
    for (int part = 0; part < 3; ++part) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb + 3 * x + 16 * part),
                       pick(kShuffles.join[part], r, g, b));
    }
  }
  scalar::join({{row.plane[0] + x, row.plane[1] + x, row.plane[2] + x}}, width - x,
               rgb + 3 * x);
}

/// Wide: one output at a time over taps padded to 16. Else groups of 8 outputs in two
/// halves: `first` holds where each half loads, `shuffle` per group and tap pair of a
/// load which bytes (as u16) feed each output, `weight` per group and tap pair 8 x 2
/// weights.
HorizontalPack pack(const Axis& axis) {
  HorizontalPack packed;
  packed.n_out = axis.n_out;
  packed.precision = axis.precision;
  const int groups = (axis.n_out + kGroup - 1) / kGroup;
  const auto first_of = [&](int i) { return axis.first[std::min(i, axis.n_out - 1)]; };
  int span = 0;
  for (int i = 0; i < groups * kGroup; i += kHalf) {
    span = std::max(span, first_of(i + kHalf - 1) - first_of(i));
  }
  packed.wide = span > 14;
  if (packed.wide) {
    packed.taps = (axis.taps + 15) / 16 * 16;
    packed.first = axis.first;
    packed.weight.assign(static_cast<std::size_t>(axis.n_out) * packed.taps, 0);
    for (int i = 0; i < axis.n_out; ++i) {
      std::copy_n(&axis.weight[static_cast<std::size_t>(i) * axis.taps], axis.taps,
                  &packed.weight[static_cast<std::size_t>(i) * packed.taps]);
    }
    return packed;
  }
  const int pairs = (axis.taps + 1) / 2;
  packed.taps = 2 * pairs;
  packed.per_load = std::min((14 - span) / 2 + 1, pairs);
  for (int g = 0; g < groups; ++g) {
    for (int half = 0; half < 2; ++half) {
      packed.first.push_back(first_of(g * kGroup + half * kHalf));
    }
    for (int k = 0; k < packed.per_load; ++k) {
      for (int lane = 0; lane < kGroup; ++lane) {
        const int i = g * kGroup + lane;
        const int from = first_of(i) - first_of(i - lane % kHalf) + 2 * k;
        const auto byte = static_cast<std::uint8_t>(from);
        packed.shuffle.insert(packed.shuffle.end(),
                              {byte, 128, static_cast<std::uint8_t>(byte + 1), 128});
      }
    }
    for (int k = 0; k < pairs; ++k) {
      for (int lane = 0; lane < kGroup; ++lane) {
        const int i = g * kGroup + lane;
        for (int tap = 2 * k; tap < 2 * k + 2; ++tap) {
          const bool real = i < axis.n_out && tap < axis.taps;
          packed.weight.push_back(
              real ? axis.weight[static_cast<std::size_t>(i) * axis.taps + tap] : 0);
        }
      }
    }
  }
  return packed;
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
      const int until = std::min(pack.per_load, pairs - from);
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

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.wide) {
    horizontal_wide(pack, in, out);
  } else {
    horizontal_near(pack, in, out);
  }
}

/// Two weights side by side in every 32 bits; the second is 0 past the last tap.
__m256i weight_pair(const std::int16_t* weight, int k, int taps) {
  const auto first = static_cast<std::uint16_t>(weight[k]);
  const auto second = static_cast<std::uint16_t>(k + 1 < taps ? weight[k + 1] : 0);
  return _mm256_set1_epi32(
      static_cast<int>(first | (static_cast<std::uint32_t>(second) << 16)));
}

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

/// (float(u8) - mean) / std of eight pixels.
__m256 normal(const std::uint8_t* in, __m256 mean, __m256 std) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in));
  const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  return _mm256_div_ps(_mm256_sub_ps(value, mean), std);
}

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

}  // namespace

EDGEVAL_TARGET_END

const Kernels* avx2_kernels() {
  static constexpr Kernels kKernels = {
      Path::kAvx2, "avx2",     yuv_row,  split,         join,
      pack,        horizontal, vertical, normalise_f32, normalise_f16,
  };
  static const bool here =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("f16c") != 0;
  return here ? &kKernels : nullptr;
}

}  // namespace edgeval::pixels

#else

namespace edgeval::pixels {

const Kernels* avx2_kernels() { return nullptr; }

}  // namespace edgeval::pixels

#endif
