#include "core/simd_neon.hpp"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>

#include "core/resize.hpp"
#include "core/simd_pack.hpp"

namespace edgeval::pixels::neon {
namespace {

constexpr std::ptrdiff_t kGroup = 8;  // outputs of one step of the horizontal kernels
constexpr int kLanes = 4;             // of one table look-up
constexpr int kLoad = 16;             // bytes

}  // namespace

HorizontalPack pack(const Axis& axis) {
  return fits(axis, kLanes, kLoad, 2) ? pack_pairs(axis, kGroup, kLanes, kLoad)
                                      : pack_wide(axis, 8);
}

namespace {

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
uint16x4_t round_off(int32x4_t sum, int half, int precision) {
  const int32x4_t rounded = vaddq_s32(sum, vdupq_n_s32(half));
  return vqmovun_s32(vshlq_s32(rounded, vdupq_n_s32(-precision)));
}

/// The same of coarse sums, which may have wrapped, to bytes.
uint8x8_t round_off_coarse(int16x8_t sum, int half, int precision) {
  const int16x8_t start = vdupq_n_s16(static_cast<std::int16_t>(half - kBias));
  const int16x8_t unbias = vdupq_n_s16(static_cast<std::int16_t>(kBias >> precision));
  const int16x8_t shift = vdupq_n_s16(static_cast<std::int16_t>(-precision));
  return vqmovun_s16(vaddq_s16(vshlq_s16(vaddq_s16(sum, start), shift), unbias));
}

void horizontal_exact(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    Sums sums[3][2];
    for (std::ptrdiff_t from = 0; from < pairs; from += pack.per_load) {
      uint8x16_t source[3][2];
      for (int c = 0; c < 3; ++c) {
        for (int h = 0; h < 2; ++h) {
          source[c][h] = vld1q_u8(in.plane[c] + first[h] + 2 * from);
        }
      }
      for (std::ptrdiff_t k = 0; k < pack.per_load; ++k, weight += 2 * kGroup) {
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
        half[h] = round_off(vpaddq_s32(sums[c][h].low, sums[c][h].high), pack.half(),
                            pack.precision);
      }
      vst1_u8(out.plane[c] + i, vqmovn_u16(vcombine_u16(half[0], half[1])));
    }
  }
}

/// Products and sums in 16 bits that may wrap on their way.
void horizontal_coarse(const HorizontalPack& pack, const Row& in, const Row& out) {
  const int pairs = pack.taps / 2;
  const std::int16_t* weight = pack.weight.data();
  const std::uint8_t* shuffle = pack.shuffle.data();
  const std::int32_t* first = pack.first.data();
  for (std::ptrdiff_t i = 0; i < pack.n_out; i += kGroup) {
    int16x8_t sums[3][2];
    for (auto& halves : sums) halves[0] = halves[1] = vdupq_n_s16(0);
    for (std::ptrdiff_t k = 0; k < pairs; ++k, weight += 2 * kGroup) {
      const std::ptrdiff_t from = k - k % pack.per_load;
      for (int h = 0; h < 2; ++h) {
        const uint8x16_t which = vld1q_u8(shuffle + 32 * (k - from) + 16 * h);
        const int16x8_t w = vld1q_s16(weight + 8 * h);
        for (int c = 0; c < 3; ++c) {
          const uint8x16_t source = vld1q_u8(in.plane[c] + first[h] + 2 * from);
          const uint8x16_t taps = vqtbl1q_u8(source, which);
          sums[c][h] = vmlaq_s16(sums[c][h], vreinterpretq_s16_u8(taps), w);
        }
      }
    }
    shuffle += 32 * pack.per_load;
    first += 2;
    for (int c = 0; c < 3; ++c) {
      const int16x8_t sum = vpaddq_s16(sums[c][0], sums[c][1]);
      vst1_u8(out.plane[c] + i, round_off_coarse(sum, pack.half(), pack.precision));
    }
  }
}

void horizontal_wide(const HorizontalPack& pack, const Row& in, const Row& out) {
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
          (vaddvq_s32(vaddq_s32(sums.low, sums.high)) + pack.half()) >> pack.precision;
      out.plane[c][i] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

void vertical_exact(const std::uint8_t* const* rows, const Window& window, int width,
                    std::uint8_t* out) {
  for (int x = 0; x < width; x += 16) {
    int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int k = 0; k < window.taps; ++k) {
      const std::int16_t w = window.weight[k];
      const uint8x16_t source = vld1q_u8(rows[k] + x);
      const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(source)));
      const int16x8_t top = vreinterpretq_s16_u16(vmovl_high_u8(source));
      sum[0] = vmlal_n_s16(sum[0], vget_low_s16(low), w);
      sum[1] = vmlal_high_n_s16(sum[1], low, w);
      sum[2] = vmlal_n_s16(sum[2], vget_low_s16(top), w);
      sum[3] = vmlal_high_n_s16(sum[3], top, w);
    }
    uint16x4_t part[4];
    for (int j = 0; j < 4; ++j) {
      part[j] = round_off(sum[j], window.half(), window.precision);
    }
    vst1q_u8(out + x, vcombine_u8(vqmovn_u16(vcombine_u16(part[0], part[1])),
                                  vqmovn_u16(vcombine_u16(part[2], part[3]))));
  }
}

/// Products and sums in 16 bits that may wrap on their way.
void vertical_coarse(const std::uint8_t* const* rows, const Window& window, int width,
                     std::uint8_t* out) {
  for (int x = 0; x < width; x += 16) {
    int16x8_t low = vdupq_n_s16(0);
    int16x8_t top = vdupq_n_s16(0);
    for (int k = 0; k < window.taps; ++k) {
      const uint8x16_t source = vld1q_u8(rows[k] + x);
      const std::int16_t w = window.weight[k];
      low = vmlaq_n_s16(low, vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(source))), w);
      top = vmlaq_n_s16(top, vreinterpretq_s16_u16(vmovl_high_u8(source)), w);
    }
    vst1q_u8(out + x,
             vcombine_u8(round_off_coarse(low, window.half(), window.precision),
                         round_off_coarse(top, window.half(), window.precision)));
  }
}

}  // namespace

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  if (pack.lanes == 1) {
    horizontal_wide(pack, in, out);
  } else if (pack.coarse) {
    horizontal_coarse(pack, in, out);
  } else {
    horizontal_exact(pack, in, out);
  }
}

void vertical(const std::uint8_t* const* rows, const Window& window, int width,
              std::uint8_t* out) {
  (window.coarse ? vertical_coarse : vertical_exact)(rows, window, width, out);
}

}  // namespace edgeval::pixels::neon

#endif
