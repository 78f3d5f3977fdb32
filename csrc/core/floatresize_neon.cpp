#include "core/floatresize.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

namespace edgeval::floats {
namespace {

constexpr std::ptrdiff_t kHalf = 4;  // floats of a vector; kLanes are two of them
constexpr std::ptrdiff_t kPixel = std::ptrdiff_t{3} * kLanes;

void store_floats(float* to, uint8x8_t bytes) {
  const uint16x8_t words = vmovl_u8(bytes);
  vst1q_f32(to, vcvtq_f32_u32(vmovl_u16(vget_low_u16(words))));
  vst1q_f32(to + kHalf, vcvtq_f32_u32(vmovl_u16(vget_high_u16(words))));
}

void spread(const std::uint8_t* const* rows, int n, float* block) {
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    const std::uint8_t column[kLanes] = {rows[0][j], rows[1][j], rows[2][j],
                                         rows[3][j], rows[4][j], rows[5][j],
                                         rows[6][j], rows[7][j]};
    store_floats(block + j * kLanes, vld1_u8(column));
  }
}

void across(const float* block, const Taps& taps, float* columns) {
  for (std::ptrdiff_t x = 0; x < taps.n_out; ++x) {
    const float* from = block + taps.first[x] * kPixel;
    const float* weight = taps.weight + x * taps.most;
    const std::int64_t count = taps.count[x];
    const std::int64_t fused = grouped(count);
    float32x4_t sum[kPixel / kHalf];
    for (std::ptrdiff_t i = 0; i < kPixel / kHalf; ++i) {
      sum[i] = vmulq_n_f32(vld1q_f32(from + i * kHalf), weight[0]);
    }
    for (std::int64_t k = 1; k < count; ++k) {
      const float* at = from + k * kPixel;
      for (std::ptrdiff_t i = 0; i < kPixel / kHalf; ++i) {
        const float32x4_t value = vld1q_f32(at + i * kHalf);
        sum[i] = k < fused ? vaddq_f32(sum[i], vmulq_n_f32(value, weight[k]))
                           : vfmaq_n_f32(sum[i], value, weight[k]);
      }
    }
    for (std::ptrdiff_t i = 0; i < kPixel / kHalf; ++i) {
      vst1q_f32(columns + x * kPixel + i * kHalf, sum[i]);
    }
  }
}

void gather(const float* columns, int n, float* const* rows) {
  for (std::ptrdiff_t j = 0; j < n; j += kHalf) {
    for (std::ptrdiff_t half = 0; half < kLanes; half += kHalf) {
      float32x4x4_t four;
      for (std::ptrdiff_t c = 0; c < kHalf; ++c) {
        four.val[c] = vld1q_f32(columns + (j + c) * kLanes + half);
      }
      float turned[kHalf * kHalf];
      vst4q_f32(turned, four);
      for (std::ptrdiff_t i = 0; i < kHalf; ++i) {
        vst1q_f32(rows[half + i] + j, vld1q_f32(turned + i * kHalf));
      }
    }
  }
}

float32x4_t weighed(const float* const* rows, const float* weight, std::int64_t count,
                    std::ptrdiff_t j) {
  const std::int64_t fused = grouped(count);
  float32x4_t sum = vmulq_n_f32(vld1q_f32(rows[0] + j), weight[0]);
  std::int64_t k = 1;
  for (; k < fused; ++k) {
    sum = vaddq_f32(sum, vmulq_n_f32(vld1q_f32(rows[k] + j), weight[k]));
  }
  for (; k < count; ++k) sum = vfmaq_n_f32(sum, vld1q_f32(rows[k] + j), weight[k]);
  return vminq_f32(vmaxq_f32(sum, vdupq_n_f32(0.0F)), vdupq_n_f32(255.0F));
}

void down(const float* const* rows, const float* weight, std::int64_t count, int n,
          std::uint8_t* out) {
  for (std::ptrdiff_t j = 0; j < n; j += kLanes) {
    const uint16x4_t low = vmovn_u32(vcvtnq_u32_f32(weighed(rows, weight, count, j)));
    const uint16x4_t high =
        vmovn_u32(vcvtnq_u32_f32(weighed(rows, weight, count, j + kHalf)));
    const uint8x8_t bytes = vmovn_u16(vcombine_u16(low, high));
    if (j + kLanes <= n) {
      vst1_u8(out + j, bytes);
    } else {
      std::uint8_t tail[kLanes];
      vst1_u8(tail, bytes);
      std::memcpy(out + j, tail, static_cast<std::size_t>(n - j));
    }
  }
}

}  // namespace
}  // namespace edgeval::floats

#endif

namespace edgeval::floats {

const Kernels* neon_kernels() {
#if defined(__aarch64__)
  static constexpr Kernels kKernels = {Path::kNeon, "neon", spread,
                                       across,      gather, down};
  return &kKernels;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::floats
