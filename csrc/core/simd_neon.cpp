#include "core/simd.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

#include "core/color.hpp"
#include "core/resize.hpp"
#include "core/simd_pack.hpp"
#include "core/simd_scalar.hpp"

// NEON is part of every aarch64 processor: no target attributes, no question at run
// time.
namespace edgeval::pixels {
namespace {

constexpr int kGroup = 8;  // outputs of one step of the horizontal kernel
constexpr int kHalf = kGroup / 2;
constexpr int kLoad = 16;  // bytes

/// (a * b) >> 16 of eight numbers, which no single instruction gives here.
int16x8_t high(int16x8_t a, std::int16_t b) {
  const int32x4_t low = vmull_n_s16(vget_low_s16(a), b);
  const int32x4_t top = vmull_n_s16(vget_high_s16(a), b);
  return vcombine_s16(vshrn_n_s32(low, 16), vshrn_n_s32(top, 16));
}

/// 8 * sample - offset of eight samples.
int16x8_t scaled(uint8x8_t samples, std::int16_t offset) {
  return vsubq_s16(vreinterpretq_s16_u16(vshll_n_u8(samples, 3)), vdupq_n_s16(offset));
}

/// 16 pixels: y[16], u[8], v[8].
void yuv_16(const ColorFactors& f, const std::uint8_t* y, const std::uint8_t* u,
            const std::uint8_t* v, const Row& out, int x) {
  const uint8x8x2_t luma = vld2_u8(y);
  const int16x8_t even = high(scaled(luma.val[0], f.y_offset), f.y);
  const int16x8_t odd = high(scaled(luma.val[1], f.y_offset), f.y);
  const int16x8_t cb = scaled(vld1_u8(u), 1024);
  const int16x8_t cr = scaled(vld1_u8(v), 1024);
  const int16x8_t shift[3] = {high(cr, f.v_to_r),
                              vaddq_s16(high(cb, f.u_to_g), high(cr, f.v_to_g)),
                              high(cb, f.u_to_b)};
  for (int c = 0; c < 3; ++c) {
    uint8x8x2_t pair;
    pair.val[0] = vqmovun_s16(vaddq_s16(even, shift[c]));
    pair.val[1] = vqmovun_s16(vaddq_s16(odd, shift[c]));
    vst2_u8(out.plane[c] + x, pair);
  }
}

void yuv_row(const ColorFactors& factors, const std::uint8_t* y, const std::uint8_t* u,
             const std::uint8_t* v, int width, Row out) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    yuv_16(factors, y + x, u + x / 2, v + x / 2, out, x);
  }
  if (x == width) return;
  std::uint8_t tail[3][16] = {};
  const auto left = static_cast<std::size_t>(width - x);
  std::memcpy(tail[0], y + x, left);
  std::memcpy(tail[1], u + x / 2, (left + 1) / 2);
  std::memcpy(tail[2], v + x / 2, (left + 1) / 2);
  yuv_16(factors, tail[0], tail[1], tail[2], out, x);
}

void split(const std::uint8_t* rgb, int width, Row out) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const uint8x16x3_t planes = vld3q_u8(rgb + 3 * x);
    for (int c = 0; c < 3; ++c) vst1q_u8(out.plane[c] + x, planes.val[c]);
  }
  scalar::split(rgb + 3 * x, width - x,
                {{out.plane[0] + x, out.plane[1] + x, out.plane[2] + x}});
}

void join(Row row, int width, std::uint8_t* rgb) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    uint8x16x3_t planes;
    for (int c = 0; c < 3; ++c) planes.val[c] = vld1q_u8(row.plane[c] + x);
    vst3q_u8(rgb + 3 * x, planes);
  }
  scalar::join({{row.plane[0] + x, row.plane[1] + x, row.plane[2] + x}}, width - x,
               rgb + 3 * x);
}

HorizontalPack pack(const Axis& axis) {
  return fits(axis, kHalf, kLoad) ? pack_near(axis, kGroup, kHalf, kLoad)
                                  : pack_wide(axis, 8);
}

/// Sums of products of neighbouring pairs: the tap pairs of four outputs.
struct Sums {
  int32x4_t low = vdupq_n_s32(0);
  int32x4_t high = vdupq_n_s32(0);

  void add(int16x8_t samples, int16x8_t weights) {
    low = vmlal_s16(low, vget_low_s16(samples), vget_low_s16(weights));
    high = vmlal_high_s16(high, samples, weights);
  }
};

/// Rounded, shifted right by `precision`, clamped to 0..65535.
uint16x4_t round_off(int32x4_t sum, int precision) {
  const int32x4_t half = vdupq_n_s32(precision > 0 ? 1 << (precision - 1) : 0);
  return vqmovun_s32(vshlq_s32(vaddq_s32(sum, half), vdupq_n_s32(-precision)));
}

void horizontal_near(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (int i = 0; i < pack.n_out; i += kGroup) {
    Sums sums[3][2];
    for (int from = 0; from < pairs; from += pack.per_load) {
      uint8x16_t source[3][2];
      for (int c = 0; c < 3; ++c) {
        for (int h = 0; h < 2; ++h) {
          source[c][h] = vld1q_u8(in.plane[c] + first[h] + 2 * from);
        }
      }
      const int left = pairs - from;
      const int until = left < pack.per_load ? left : pack.per_load;
      for (int k = 0; k < until; ++k, weight += 2 * kGroup) {
        for (int h = 0; h < 2; ++h) {
          const uint8x16_t which = vld1q_u8(shuffle + 32 * k + 16 * h);
          const int16x8_t w = vld1q_s16(weight + 8 * h);
          for (int c = 0; c < 3; ++c) {
            sums[c][h].add(vreinterpretq_s16_u8(vqtbl1q_u8(source[c][h], which)), w);
          }
        }
      }
    }
    shuffle += 32 * pack.per_load;
    first += 2;
    for (int c = 0; c < 3; ++c) {
      uint16x4_t half[2];
      for (int h = 0; h < 2; ++h) {
        half[h] =
            round_off(vpaddq_s32(sums[c][h].low, sums[c][h].high), pack.precision);
      }
      vst1_u8(out.plane[c] + i, vqmovn_u16(vcombine_u16(half[0], half[1])));
    }
  }
}

void horizontal_wide(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int half = pack.precision > 0 ? 1 << (pack.precision - 1) : 0;
  for (int c = 0; c < 3; ++c) {
    const std::int16_t* weight = pack.weight.data();
    for (int i = 0; i < pack.n_out; ++i, weight += pack.taps) {
      const std::uint8_t* window =
          in.plane[c] + pack.first[static_cast<std::size_t>(i)];
      Sums sums;
      for (int k = 0; k < pack.taps; k += 8) {
        sums.add(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(window + k))),
                 vld1q_s16(weight + k));
      }
      const int value =
          (vaddvq_s32(vaddq_s32(sums.low, sums.high)) + half) >> pack.precision;
      out.plane[c][i] = static_cast<std::uint8_t>(value < 0     ? 0
                                                  : value > 255 ? 255
                                                                : value);
    }
  }
}

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.lanes == 1) {
    horizontal_wide(pack, in, out);
  } else {
    horizontal_near(pack, in, out);
  }
}

void vertical(const std::uint8_t* const* rows, const std::int16_t* weight, int taps,
              int precision, int width, std::uint8_t* out) {
  for (int x = 0; x < width; x += 16) {
    int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int k = 0; k < taps; ++k) {
      const uint8x16_t source = vld1q_u8(rows[k] + x);
      const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(source)));
      const int16x8_t top = vreinterpretq_s16_u16(vmovl_high_u8(source));
      sum[0] = vmlal_n_s16(sum[0], vget_low_s16(low), weight[k]);
      sum[1] = vmlal_high_n_s16(sum[1], low, weight[k]);
      sum[2] = vmlal_n_s16(sum[2], vget_low_s16(top), weight[k]);
      sum[3] = vmlal_high_n_s16(sum[3], top, weight[k]);
    }
    uint16x4_t part[4];
    for (int j = 0; j < 4; ++j) part[j] = round_off(sum[j], precision);
    vst1q_u8(out + x, vcombine_u8(vqmovn_u16(vcombine_u16(part[0], part[1])),
                                  vqmovn_u16(vcombine_u16(part[2], part[3]))));
  }
}

/// (float(u8) - mean) / std of the four low or high pixels of eight.
float32x4_t normal(uint16x4_t pixels, float mean, float std) {
  const float32x4_t value = vcvtq_f32_u32(vmovl_u16(pixels));
  return vdivq_f32(vsubq_f32(value, vdupq_n_f32(mean)), vdupq_n_f32(std));
}

void normalise_f32(const std::uint8_t* in, int width, float mean, float std,
                   float* out) {
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const uint16x8_t pixels = vmovl_u8(vld1_u8(in + x));
    vst1q_f32(out + x, normal(vget_low_u16(pixels), mean, std));
    vst1q_f32(out + x + 4, normal(vget_high_u16(pixels), mean, std));
  }
  scalar::normalise_f32(in + x, width - x, mean, std, out + x);
}

void normalise_f16(const std::uint8_t* in, int width, float mean, float std,
                   std::uint16_t* out) {
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const uint16x8_t pixels = vmovl_u8(vld1_u8(in + x));
    const float16x4_t low = vcvt_f16_f32(normal(vget_low_u16(pixels), mean, std));
    const float16x4_t top = vcvt_f16_f32(normal(vget_high_u16(pixels), mean, std));
    vst1q_u16(out + x,
              vcombine_u16(vreinterpret_u16_f16(low), vreinterpret_u16_f16(top)));
  }
  scalar::normalise_f16(in + x, width - x, mean, std, out + x);
}

}  // namespace

const Kernels* neon_kernels() {
  static constexpr Kernels kKernels = {
      Path::kNeon, "neon",     yuv_row,  split,         join,
      pack,        horizontal, vertical, normalise_f32, normalise_f16,
  };
  return &kKernels;
}

}  // namespace edgeval::pixels

#else

namespace edgeval::pixels {

const Kernels* neon_kernels() { return nullptr; }

}  // namespace edgeval::pixels

#endif
