#include "core/scaler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace edgeval::pixels {
namespace {

constexpr int kMaxTaps = 3;
constexpr std::int64_t kUnit = std::int64_t{1} << 54;
constexpr double kCutOff = 0.002 * static_cast<double>(kUnit);

/// The taps of one output before they are fitted into the picture.
struct Taps {
  int first = 0;
  std::array<std::int64_t, kMaxTaps> weight{};
};

/// a / b to the nearest, halves away from 0.
std::int64_t rounded(std::int64_t a, std::int64_t b) {
  return (a >= 0 ? a + (b >> 1) : a - (b >> 1)) / b;
}

/// Drops weights near 0 on the left while taps stay in order. Gives how many are left
/// when those near 0 on the right are not counted.
int shorten(Taps& taps, int n_taps, int next_first) {
  double dropped = 0.0;
  for (int k = 0; k < n_taps; ++k) {
    dropped += static_cast<double>(taps.weight[0]);
    if (dropped > kCutOff || taps.first >= next_first) break;
    std::rotate(taps.weight.begin(), taps.weight.begin() + 1, taps.weight.end());
    taps.weight[kMaxTaps - 1] = 0;
    ++taps.first;
  }
  double tail = 0.0;
  int left = n_taps;
  for (int k = n_taps - 1; k > 0; --k) {
    tail += static_cast<double>(taps.weight[static_cast<std::size_t>(k)]);
    if (tail > kCutOff) break;
    --left;
  }
  return left;
}

/// The tent over each output's place among the inputs.
std::vector<Taps> tents(int n_in, int n_out, int source, int target, int n_taps) {
  const std::int64_t step = ((std::int64_t{n_in} << 16) + (n_out >> 1)) / n_out;
  std::int64_t place = ((target * step) >> 7) - ((std::int64_t{source} << 16) >> 7);
  std::vector<Taps> all(static_cast<std::size_t>(n_out));
  for (Taps& taps : all) {
    taps.first =
        static_cast<int>((place - std::int64_t{n_taps - 2} * 65536) / (1 << 17));
    for (int k = 0; k < n_taps; ++k) {
      const std::int64_t away = std::abs((taps.first + k) * (1LL << 17) - place) << 13;
      taps.weight[static_cast<std::size_t>(k)] =
          std::max<std::int64_t>((1LL << 30) - away, 0) * (kUnit >> 30);
    }
    place += 2 * step;
  }
  return all;
}

template <typename T>
void stretch_samples(const Stretch& stretch, const T* in, int bit_depth,
                     std::int16_t* out) {
  const int top = (1 << bit_depth) - 1;
  const auto sample = [&](int i) { return std::min(static_cast<int>(in[i]), top); };
  for (std::size_t i = 0; i < stretch.first.size(); ++i) {
    const int sum = sample(stretch.first[i]) * (stretch.one - stretch.weight[i]) +
                    sample(stretch.second[i]) * stretch.weight[i];
    out[i] = static_cast<std::int16_t>(sum >> (bit_depth - 1));
  }
}

template <typename T>
void full_row(const ColorFactors& factors, const T* luma, int shift, int width,
              const ChromaRows& chroma, const std::array<std::uint8_t*, 3>& out) {
  const auto mixed = [&chroma](const std::array<const std::int16_t*, 2>& rows, int x) {
    const int sum = rows[0][x] * (4096 - chroma.weight) + rows[1][x] * chroma.weight;
    return static_cast<std::uint32_t>((sum - (128 << 19)) >> 10);
  };
  for (int x = 0; x < width; ++x) {
    const auto pixel =
        full_chroma_pixel(factors, static_cast<std::uint32_t>(luma[x]) << shift,
                          mixed(chroma.u, x), mixed(chroma.v, x));
    for (std::size_t c = 0; c < 3; ++c) out[c][x] = pixel[c];
  }
}

}  // namespace

bool Stretch::identity() const {
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] != static_cast<int>(i) || weight[i] != 0) return false;
  }
  return true;
}

Stretch make_stretch(int n_in, int n_out, int source, int target, int one, int align) {
  Stretch stretch;
  stretch.one = one;
  for (std::vector<int>* column : {&stretch.first, &stretch.second, &stretch.weight}) {
    column->resize(static_cast<std::size_t>(n_out));
  }
  if (n_in == n_out && source == target) {
    for (int i = 0; i < n_out; ++i) {
      stretch.first[static_cast<std::size_t>(i)] = i;
      stretch.second[static_cast<std::size_t>(i)] = i;
    }
    return stretch;
  }
  const int n_taps = std::clamp(n_in - 2, 1, kMaxTaps);
  std::vector<Taps> all = tents(n_in, n_out, source, target, n_taps);
  int kept = 0;
  int next_first = all.back().first + kMaxTaps + 1;
  for (auto taps = all.rbegin(); taps != all.rend(); ++taps) {
    kept = std::max(kept, shorten(*taps, n_taps, next_first));
    next_first = taps->first;
  }
  kept = std::min((kept + align - 1) / align * align, kMaxTaps);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // What hangs over the border falls on the sample there; two samples are left.
    const auto inside = [&](int k) {
      return std::clamp(all[i].first + k, 0, n_in - 1);
    };
    std::int64_t sum = 0;
    for (int k = 0; k < kept; ++k) sum += all[i].weight[static_cast<std::size_t>(k)];
    sum = (sum + one / 2) / one;
    int from = 0;
    while (from + 1 < kept && all[i].weight[static_cast<std::size_t>(from)] == 0)
      ++from;
    std::int64_t near = 0;
    for (int k = 0; k < kept; ++k) {
      if (inside(k) == inside(from)) near += all[i].weight[static_cast<std::size_t>(k)];
    }
    stretch.first[i] = inside(from);
    stretch.second[i] = std::min(stretch.first[i] + 1, n_in - 1);
    stretch.weight[i] =
        one - static_cast<int>(rounded(near, std::max<std::int64_t>(sum, 1)));
  }
  return stretch;
}

void stretch_row(const Stretch& stretch, const std::uint8_t* in, int bit_depth,
                 std::int16_t* out) {
  if (bit_depth == 8) {
    stretch_samples(stretch, in, bit_depth, out);
  } else {
    stretch_samples(stretch, reinterpret_cast<const std::uint16_t*>(in), bit_depth,
                    out);
  }
}

PlaceColor place_color(Matrix matrix, bool full_range) {
  const Chromatics c = chromatics(matrix, full_range);
  const std::int64_t gain = luma_gain(full_range);
  const auto factors = [gain](std::int64_t factor) {
    const std::int64_t step = (factor * 65536 + 0x8000) / gain;
    return PlaceFactors{static_cast<std::int16_t>(-(step >> 9)),
                        static_cast<std::int16_t>(step >> 16),
                        static_cast<std::uint16_t>(step & 0xFFFF)};
  };
  PlaceColor color{};
  color.v_to_r = factors(c.v_to_r);
  color.u_to_g = factors(-c.u_to_g);
  color.v_to_g = factors(-c.v_to_g);
  color.u_to_b = factors(c.u_to_b);
  // A table starts at luma -512; chroma's zero stands at 384 of it, or (limited) 326.
  const std::int64_t zero = full_range ? 384 : 326;
  const std::int64_t black = full_range ? 0 : 16;
  const std::int64_t level = zero * gain - ((384 + black) << 16) + 0x8000;
  color.gain = static_cast<std::int16_t>(gain - (1 << 16));
  color.base = static_cast<std::int16_t>((level + 0x8000) >> 16);
  color.bias = static_cast<std::int16_t>(level - std::int64_t{color.base} * 65536);
  return color;
}

void full_mixed_row(const ColorFactors& factors, const YuvView& picture, int row,
                    const ChromaRows& chroma, const std::array<std::uint8_t*, 3>& out) {
  const std::uint8_t* luma = picture.plane[0] + row * picture.stride[0];
  const int shift = 17 - picture.bit_depth;
  if (picture.bit_depth == 8) {
    full_row(factors, luma, shift, picture.width, chroma, out);
  } else {
    full_row(factors, reinterpret_cast<const std::uint16_t*>(luma), shift,
             picture.width, chroma, out);
  }
}

}  // namespace edgeval::pixels
