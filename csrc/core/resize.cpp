#include "core/resize.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "core/error.hpp"

namespace edgeval::pixels {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kMaxSize = 65535;
constexpr int kMaxRatio = 512;

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= kPi;
  return std::sin(x) / x;
}

double lanczos(double x) {
  x = std::abs(x);
  return x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

struct Kernel {
  double (*at)(double);
  double support;
};

Kernel kernel_of(Filter filter) {
  switch (filter) {
    case Filter::kBilinear:
      return {bilinear, 1.0};
    case Filter::kLanczos:
      return {lanczos, 3.0};
    case Filter::kBicubic:
      break;
  }
  return {bicubic, 2.0};
}

int precision_for(double max_weight) {
  int precision = 0;
  for (; precision < 22; ++precision) {
    const double next = max_weight * (1 << (precision + 1));
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): as ATen rounds
    if (static_cast<int>(next + 0.5) >= 1 << 15) break;
  }
  return precision;
}

std::int16_t quantise(double weight, int precision) {
  const double scaled = weight * (1 << precision);
  return static_cast<std::int16_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/// Weights of one window in 2^-precision: steps of the rounded running sum.
void quantise_coarse(const double* weight, int taps, int precision, std::int16_t* out) {
  double total = 0.0;
  int done = 0;
  for (int k = 0; k < taps; ++k) {
    total += weight[k];
    const int reached = static_cast<int>(std::lround(total * (1 << precision)));
    out[k] = static_cast<std::int16_t>(reached - done);
    done = reached;
  }
}

/// Whether u8 times these weights stays inside what 8-bit multipliers sum exactly:
/// weights in i8, neighbours' products in 16 bits, all products in 16 bits from -kBias.
bool sums_fit(const std::int16_t* weight, int taps) {
  int above = 0;
  int below = 0;
  for (int k = 0; k < taps; ++k) {
    const int next = k + 1 < taps && k % 2 == 0 ? weight[k + 1] : 0;
    if (weight[k] > 127 || std::max<int>(weight[k], 0) + std::max(next, 0) > 128) {
      return false;
    }
    (weight[k] > 0 ? above : below) += weight[k];
  }
  return above * 255 + 64 - kBias <= 32767 && below * 255 - kBias >= -32768;
}

/// Fills in the weights of a coarse axis at 7 bits, or at 6 where 7 do not fit.
void coarsen(Axis& axis, const std::vector<double>& weight, int pitch) {
  axis.coarse = true;
  for (axis.precision = 7; axis.precision >= 6; --axis.precision) {
    bool fits = true;
    for (std::size_t i = 0; i < axis.first.size(); ++i) {
      std::int16_t* out = &axis.weight[i * axis.taps];
      quantise_coarse(&weight[i * pitch], axis.taps, axis.precision, out);
      fits = fits && sums_fit(out, axis.taps);
    }
    if (fits) return;
  }
  throw std::logic_error("resize: a filter whose sums do not fit in 16 bits");
}

/// Two weights as Window wants them.
std::uint32_t pair_of(const Axis& axis, int i, int tap) {
  const std::int16_t* weight = &axis.weight[static_cast<std::size_t>(i) * axis.taps];
  const auto first = static_cast<std::uint32_t>(weight[tap]);
  const auto second =
      static_cast<std::uint32_t>(tap + 1 < axis.taps ? weight[tap + 1] : 0);
  if (!axis.coarse) return (first & 0xFFFFU) | second << 16;
  return ((first & 0xFFU) | (second & 0xFFU) << 8) * 0x10001U;
}

void check_size(const char* what, int n) {
  if (n < 1 || n > kMaxSize) {
    throw ArgumentError(std::string("resize: got ") + what + " " + std::to_string(n) +
                        "; wants 1.." + std::to_string(kMaxSize) + " pixels");
  }
}

/// An axis without its pairs.
Axis weigh(int n_in, int n_out, Filter filter, Mode mode) {
  const Kernel kernel = kernel_of(filter);
  const double scale = static_cast<double>(n_in) / n_out;
  const double inverse = scale >= 1.0 ? 1.0 / scale : 1.0;
  const double support = scale >= 1.0 ? kernel.support * scale : kernel.support;
  const int max_taps = static_cast<int>(std::ceil(support)) * 2 + 1;

  Axis axis;
  axis.n_in = n_in;
  axis.n_out = n_out;
  axis.first.resize(n_out);
  axis.count.resize(n_out);
  std::vector<double> weight(static_cast<std::size_t>(n_out) * max_taps, 0.0);
  double max_weight = 0.0;
  for (int i = 0; i < n_out; ++i) {
    const double center = scale * (i + 0.5);
    // NOLINTBEGIN(bugprone-incorrect-roundings): as ATen rounds, towards 0 below 0 too
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), n_in);
    // NOLINTEND(bugprone-incorrect-roundings)
    const int count = std::clamp(last - first, 0, max_taps);
    double* w = &weight[static_cast<std::size_t>(i) * max_taps];
    double total = 0.0;
    for (int k = 0; k < count; ++k) {
      w[k] = kernel.at((k + first - center + 0.5) * inverse);
      total += w[k];
    }
    for (int k = 0; k < count && total != 0.0; ++k) {
      w[k] /= total;
      max_weight = std::max(max_weight, w[k]);
    }
    axis.first[i] = first;
    axis.count[i] = count;
    axis.taps = std::max(axis.taps, count);
  }
  axis.weight.resize(static_cast<std::size_t>(n_out) * axis.taps);
  if (mode == Mode::kFast) {
    coarsen(axis, weight, max_taps);
    return axis;
  }
  axis.precision = precision_for(max_weight);
  for (int i = 0; i < n_out; ++i) {
    for (int k = 0; k < axis.taps; ++k) {
      axis.weight[static_cast<std::size_t>(i) * axis.taps + k] =
          quantise(weight[static_cast<std::size_t>(i) * max_taps + k], axis.precision);
    }
  }
  return axis;
}

}  // namespace

Window Axis::window(int i) const {
  const auto at = static_cast<std::size_t>(i);
  return {&weight[at * taps], &pairs[at * ((taps + 1) / 2)], count[at], precision,
          coarse};
}

Axis make_axis(int n_in, int n_out, Filter filter, Mode mode) {
  check_size("an input side of", n_in);
  check_size("an output side of", n_out);
  if (n_in / n_out >= kMaxRatio) {
    throw ArgumentError("resize: got " + std::to_string(n_in) + " to " +
                        std::to_string(n_out) + " pixels; wants a ratio below " +
                        std::to_string(kMaxRatio));
  }
  Axis axis = weigh(n_in, n_out, filter, mode);
  for (int i = 0; i < n_out; ++i) {
    for (int tap = 0; tap < axis.taps; tap += 2)
      axis.pairs.push_back(pair_of(axis, i, tap));
  }
  return axis;
}

Resize::Resize(int in_height, int in_width, int out_height, int out_width,
               Filter filter, Mode mode, Path path)
    : horizontal_(make_axis(in_width, out_width, filter, mode)),
      vertical_(make_axis(in_height, out_height, filter, mode)),
      mode_(mode),
      path_(kernels(path).path),
      pack_(kernels(path).pack(horizontal_)) {}

}  // namespace edgeval::pixels
