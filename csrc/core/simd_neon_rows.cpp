#include "core/simd_neon.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

#include "core/color.hpp"
#include "core/simd_scalar.hpp"

namespace edgeval::pixels::neon {
namespace {

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

}  // namespace

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
  std::ptrdiff_t x = 0;
  for (; x + 16 <= width; x += 16) {
    const uint8x16x3_t planes = vld3q_u8(rgb + 3 * x);
    for (int c = 0; c < 3; ++c) vst1q_u8(out.plane[c] + x, planes.val[c]);
  }
  scalar::split(rgb + 3 * x, width - static_cast<int>(x),
                {{out.plane[0] + x, out.plane[1] + x, out.plane[2] + x}});
}

void join(Row row, int width, std::uint8_t* rgb) {
  std::ptrdiff_t x = 0;
  for (; x + 16 <= width; x += 16) {
    uint8x16x3_t planes;
    for (int c = 0; c < 3; ++c) planes.val[c] = vld1q_u8(row.plane[c] + x);
    vst3q_u8(rgb + 3 * x, planes);
  }
  scalar::join({{row.plane[0] + x, row.plane[1] + x, row.plane[2] + x}},
               width - static_cast<int>(x), rgb + 3 * x);
}

namespace {

/// (float(u8) - mean) / std of the four low or high pixels of eight.
float32x4_t normal(uint16x4_t pixels, float mean, float std) {
  const float32x4_t value = vcvtq_f32_u32(vmovl_u16(pixels));
  return vdivq_f32(vsubq_f32(value, vdupq_n_f32(mean)), vdupq_n_f32(std));
}

}  // namespace

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

}  // namespace edgeval::pixels::neon

#endif
