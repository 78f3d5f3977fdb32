#include "core/simd_scalar.hpp"

#include <algorithm>
#include <cstring>

#include "core/color.hpp"
#include "core/resize.hpp"
#include "core/scaler.hpp"

namespace edgeval::pixels {
namespace scalar {
namespace {

std::uint8_t clamp_u8(int x) {
  return static_cast<std::uint8_t>(std::clamp(x, 0, 255));
}

/// The high half of a 16 x 16 bit product, as pmulhw gives it.
int high(int a, int b) { return (a * b) >> 16; }

/// IEEE binary16 bits of a finite float, nearest even. The numbers here are far from
/// overflow unless std is tiny; then the result is infinity, as the hardware's is.
std::uint16_t to_half(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  bits &= 0x7FFFFFFFu;
  if (bits >= 0x47800000u) {  // 65536 and more, and NaN
    return sign | (bits > 0x7F800000u ? 0x7E00u : 0x7C00u);
  }
  if (bits < 0x38800000u) {  // below 2^-14: subnormal, let the adder round
    float magnitude = 0.0F;
    std::memcpy(&magnitude, &bits, sizeof bits);
    magnitude += 0.5F;  // ulp of 0.5 is 2^-24, the smallest half
    std::memcpy(&bits, &magnitude, sizeof bits);
    return static_cast<std::uint16_t>(sign | (bits - 0x3F000000u));
  }
  const std::uint32_t odd = (bits >> 13) & 1u;
  bits += 0xFFFu + odd;
  return static_cast<std::uint16_t>(sign | ((bits - 0x38000000u) >> 13));
}

template <typename T>
void widen_samples(const T* in, int bit_depth, int width, bool quarter,
                   std::int16_t* out) {
  const int top = (1 << bit_depth) - 1;
  const int shift = 13 - bit_depth;  // a quarter of what makes 15 bits
  const auto sample = [&](int i) { return std::min(static_cast<int>(in[i]), top); };
  for (int x = 0; x < width; ++x) {
    const int next = quarter && x + 1 < width ? x + 1 : x;
    out[x] = static_cast<std::int16_t>((3 * sample(x) + sample(next)) << shift);
  }
}

/// Two 15-bit rows to 8 bits.
int mixed(const std::array<const std::int16_t*, 2>& rows, int weight, int x) {
  const int sum = rows[0][x] * (4096 - weight) + rows[1][x] * weight;
  return std::min((sum + (1 << 18)) >> 19, 255);
}

int place(const PlaceFactors& factors, int sample) {
  return factors.start + sample * factors.whole + ((sample * factors.part) >> 16);
}

template <typename T>
void mixed_samples(const PlaceColor& color, const T* luma, int bit_depth,
                   const ChromaRows& chroma, int width, Row out) {
  const int shift = bit_depth - 8;
  const int half = shift > 0 ? 1 << (shift - 1) : 0;
  const int top = (1 << bit_depth) - 1;
  for (int x = 0; x < width; ++x) {
    const int u = mixed(chroma.u, chroma.weight, x / 2);
    const int v = mixed(chroma.v, chroma.weight, x / 2);
    const int y = (std::min(static_cast<int>(luma[x]), top) + half) >> shift;
    const auto byte = [&color, y](int move) {
      const int at = y + move;
      return clamp_u8(at + color.base + ((at * color.gain + color.bias) >> 16));
    };
    out.plane[0][x] = byte(place(color.v_to_r, v));
    out.plane[1][x] = byte(place(color.u_to_g, u) + place(color.v_to_g, v));
    out.plane[2][x] = byte(place(color.u_to_b, u));
  }
}

}  // namespace

void widen(const std::uint8_t* in, int bit_depth, int width, bool quarter,
           std::int16_t* out) {
  if (bit_depth == 8) {
    widen_samples(in, bit_depth, width, quarter, out);
  } else {
    widen_samples(reinterpret_cast<const std::uint16_t*>(in), bit_depth, width, quarter,
                  out);
  }
}

void mixed_row(const PlaceColor& color, const std::uint8_t* luma, int bit_depth,
               const ChromaRows& chroma, int width, Row out) {
  if (bit_depth == 8) {
    mixed_samples(color, luma, bit_depth, chroma, width, out);
  } else {
    mixed_samples(color, reinterpret_cast<const std::uint16_t*>(luma), bit_depth,
                  chroma, width, out);
  }
}

void yuv_row(const ColorFactors& factors, const std::uint8_t* y, const std::uint8_t* u,
             const std::uint8_t* v, int width, Row out) {
  for (int x = 0; x < width; ++x) {
    const int luma = high(8 * y[x] - factors.y_offset, factors.y);
    const int cb = 8 * u[x / 2] - 1024;
    const int cr = 8 * v[x / 2] - 1024;
    out.plane[0][x] = clamp_u8(luma + high(cr, factors.v_to_r));
    out.plane[1][x] =
        clamp_u8(luma + high(cb, factors.u_to_g) + high(cr, factors.v_to_g));
    out.plane[2][x] = clamp_u8(luma + high(cb, factors.u_to_b));
  }
}

void split(const std::uint8_t* rgb, int width, Row out) {
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c) out.plane[c][x] = rgb[3 * x + c];
  }
}

void join(Row row, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c) rgb[3 * x + c] = row.plane[c][x];
  }
}

HorizontalPack pack(const Axis& axis) {
  HorizontalPack pack;
  pack.n_out = axis.n_out;
  pack.taps = axis.taps;
  pack.precision = axis.precision;
  pack.first = axis.first;
  pack.weight.assign(axis.weight.begin(), axis.weight.end());
  return pack;
}

void horizontal(const HorizontalPack& pack, Row in, Row out) {
  for (int c = 0; c < 3; ++c) {
    const std::int16_t* weight = pack.weight.data();
    for (int i = 0; i < pack.n_out; ++i, weight += pack.taps) {
      const std::uint8_t* window = in.plane[c] + pack.first[i];
      int sum = pack.half();
      for (int k = 0; k < pack.taps; ++k) sum += weight[k] * window[k];
      out.plane[c][i] = clamp_u8(sum >> pack.precision);
    }
  }
}

void vertical(const std::uint8_t* const* rows, const Window& window, int width,
              std::uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    int sum = window.half();
    for (int k = 0; k < window.taps; ++k) sum += window.weight[k] * rows[k][x];
    out[x] = clamp_u8(sum >> window.precision);
  }
}

void normalise_f32(const std::uint8_t* in, int width, float mean, float std,
                   float* out) {
  for (int x = 0; x < width; ++x) out[x] = (static_cast<float>(in[x]) - mean) / std;
}

void normalise_f16(const std::uint8_t* in, int width, float mean, float std,
                   std::uint16_t* out) {
  for (int x = 0; x < width; ++x) {
    out[x] = to_half((static_cast<float>(in[x]) - mean) / std);
  }
}

}  // namespace scalar

const Kernels& scalar_kernels() {
  static constexpr Kernels kKernels = {
      Path::kScalar,         "scalar",
      scalar::yuv_row,       scalar::widen,
      scalar::mixed_row,     scalar::split,
      scalar::join,          scalar::pack,
      scalar::horizontal,    scalar::vertical,
      scalar::normalise_f32, scalar::normalise_f16,
  };
  return kKernels;
}

}  // namespace edgeval::pixels
