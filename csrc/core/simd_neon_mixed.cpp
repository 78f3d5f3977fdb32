#include "core/simd_neon.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

#include "core/scaler.hpp"
#include "core/simd_scalar.hpp"

namespace edgeval::pixels::neon {
namespace {

/// 8 samples from number x on, none above its top.
template <int kDepth>
uint16x8_t samples(const std::uint8_t* in, std::ptrdiff_t x) {
  if constexpr (kDepth == 8) {
    return vmovl_u8(vld1_u8(in + x));
  } else {
    // Rows of u16 may begin at any byte: loads of bytes ask for no alignment.
    return vminq_u16(vreinterpretq_u16_u8(vld1q_u8(in + 2 * x)),
                     vdupq_n_u16((1 << kDepth) - 1));
  }
}

template <int kDepth>
void widen_depth(const std::uint8_t* in, int width, bool quarter, std::int16_t* out) {
  const std::ptrdiff_t step = quarter ? 1 : 0;
  std::ptrdiff_t x = 0;
  for (; x + 8 + step <= width; x += 8) {
    const uint16x8_t here = samples<kDepth>(in, x);
    const uint16x8_t sum =
        vmlaq_n_u16(samples<kDepth>(in, x + step), here, std::uint16_t{3});
    vst1q_s16(out + x, vreinterpretq_s16_u16(vshlq_n_u16(sum, 13 - kDepth)));
  }
  scalar::widen(in + x * (kDepth > 8 ? 2 : 1), kDepth, width - static_cast<int>(x),
                quarter, out + x);
}

/// Four numbers of two 15-bit rows to 8 bits.
int16x4_t mixed(int16x4_t first, int16x4_t second, std::int16_t weight) {
  const int32x4_t sum = vmlal_n_s16(
      vmull_n_s16(first, static_cast<std::int16_t>(4096 - weight)), second, weight);
  return vmovn_s32(vrshrq_n_s32(sum, 19));
}

/// 8 chroma samples.
int16x8_t chroma_8(const std::array<const std::int16_t*, 2>& rows, std::ptrdiff_t x,
                   int weight) {
  const int16x8_t a = vld1q_s16(rows[0] + x);
  const int16x8_t b = vld1q_s16(rows[1] + x);
  const auto w = static_cast<std::int16_t>(weight);
  const int16x8_t both = vcombine_s16(mixed(vget_low_s16(a), vget_low_s16(b), w),
                                      mixed(vget_high_s16(a), vget_high_s16(b), w));
  return vminq_s16(both, vdupq_n_s16(255));
}

/// How far 8 chroma samples move the place of a luma step.
int16x8_t place(const PlaceFactors& factors, int16x8_t sample) {
  const uint16x8_t plain = vreinterpretq_u16_s16(sample);
  const uint32x4_t low = vmull_n_u16(vget_low_u16(plain), factors.part);
  const uint32x4_t top = vmull_n_u16(vget_high_u16(plain), factors.part);
  const int16x8_t part =
      vreinterpretq_s16_u16(vcombine_u16(vshrn_n_u32(low, 16), vshrn_n_u32(top, 16)));
  return vaddq_s16(vmlaq_n_s16(part, sample, factors.whole),
                   vdupq_n_s16(factors.start));
}

/// The bytes at 8 places.
uint8x8_t bytes_at(const PlaceColor& color, int16x8_t places) {
  const int32x4_t bias = vdupq_n_s32(color.bias);
  const int32x4_t low = vmlal_n_s16(bias, vget_low_s16(places), color.gain);
  const int32x4_t top = vmlal_n_s16(bias, vget_high_s16(places), color.gain);
  const int16x8_t more = vcombine_s16(vshrn_n_s32(low, 16), vshrn_n_s32(top, 16));
  return vqmovun_s16(vaddq_s16(vaddq_s16(places, more), vdupq_n_s16(color.base)));
}

/// 16 luma samples as 8 bits, even and odd ones apart.
template <int kDepth>
int16x8x2_t luma_16(const std::uint8_t* in) {
  int16x8x2_t out;
  if constexpr (kDepth == 8) {
    const uint8x8x2_t both = vld2_u8(in);
    for (int i = 0; i < 2; ++i) {
      out.val[i] = vreinterpretq_s16_u16(vmovl_u8(both.val[i]));
    }
  } else {
    const uint16x8_t a = vrshrq_n_u16(samples<kDepth>(in, 0), kDepth - 8);
    const uint16x8_t b = vrshrq_n_u16(samples<kDepth>(in, 8), kDepth - 8);
    out.val[0] = vreinterpretq_s16_u16(vuzp1q_u16(a, b));
    out.val[1] = vreinterpretq_s16_u16(vuzp2q_u16(a, b));
  }
  return out;
}

/// 16 pixels from number x on; `luma` begins with theirs.
template <int kDepth>
void mixed_16(const PlaceColor& color, const std::uint8_t* luma,
              const ChromaRows& chroma, std::ptrdiff_t x, const Row& out) {
  const int16x8_t u = chroma_8(chroma.u, x / 2, chroma.weight);
  const int16x8_t v = chroma_8(chroma.v, x / 2, chroma.weight);
  const int16x8_t move[3] = {place(color.v_to_r, v),
                             vaddq_s16(place(color.u_to_g, u), place(color.v_to_g, v)),
                             place(color.u_to_b, u)};
  const int16x8x2_t y = luma_16<kDepth>(luma);
  for (int c = 0; c < 3; ++c) {
    uint8x8x2_t pixels;
    for (int i = 0; i < 2; ++i) {
      pixels.val[i] = bytes_at(color, vaddq_s16(y.val[i], move[c]));
    }
    vst2_u8(out.plane[c] + x, pixels);
  }
}

template <int kDepth>
void mixed_depth(const PlaceColor& color, const std::uint8_t* luma,
                 const ChromaRows& chroma, int width, const Row& out) {
  constexpr std::ptrdiff_t kBytes = kDepth > 8 ? 2 : 1;
  std::ptrdiff_t x = 0;
  for (; x + 16 <= width; x += 16) {
    mixed_16<kDepth>(color, luma + x * kBytes, chroma, x, out);
  }
  if (x == width) return;
  std::uint8_t tail[16 * kBytes] = {};
  std::memcpy(tail, luma + x * kBytes, static_cast<std::size_t>((width - x) * kBytes));
  mixed_16<kDepth>(color, tail, chroma, x, out);
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

}  // namespace edgeval::pixels::neon

#endif
