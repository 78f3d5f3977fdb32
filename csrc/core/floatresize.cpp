#include "core/floatresize.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/simd_aligned.hpp"

namespace edgeval::floats {
namespace {

constexpr int kColors = 3;

std::size_t padded(int n) {
  return (static_cast<std::size_t>(n) + kLanes - 1) / kLanes * kLanes;
}

void check(const Taps& taps, const char* axis) {
  bool good = taps.n_in > 0 && taps.n_out > 0 && taps.most > 0;
  for (std::ptrdiff_t i = 0; good && i < taps.n_out; ++i) {
    const std::int64_t first = taps.first[i];
    const std::int64_t count = taps.count[i];
    good = first >= 0 && count >= 1 && count <= taps.most &&
           first <= taps.n_in - count && (i == 0 || first >= taps.first[i - 1]);
  }
  if (good) return;
  throw ArgumentError(std::string("float_resize: got taps ") + axis +
                      " that leave the picture or go back; wants first rising, and "
                      "first + count <= " +
                      std::to_string(taps.n_in));
}

/// The picture at its new width, row by row, as many as the columns' taps look at.
class Squeezed {
 public:
  Squeezed(const std::uint8_t* image, const Taps& across, const Taps& down,
           const Kernels& kernels)
      : image_(image),
        across_(across),
        n_rows_(down.n_in),
        kernels_(kernels),
        n_(kColors * across.n_out),
        pitch_(padded(n_)),
        held_(down.most + kLanes),
        block_(padded(kColors * across.n_in) * kLanes),
        columns_(pitch_ * kLanes),
        ring_(pitch_ * static_cast<std::size_t>(held_)) {}

  /// Makes rows up to `end`, not included.
  void make(std::int64_t end) {
    while (done_ < end) make_some();
  }

  [[nodiscard]] float* row(std::int64_t number) {
    return ring_.data() + static_cast<std::size_t>(number % held_) * pitch_;
  }

 private:
  void make_some() {
    const std::ptrdiff_t wide = std::ptrdiff_t{kColors} * across_.n_in;
    std::array<const std::uint8_t*, kLanes> from{};
    std::array<float*, kLanes> to{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::int64_t number = done_ + static_cast<std::int64_t>(i);
      from[i] = image_ + std::min<std::int64_t>(number, n_rows_ - 1) * wide;
      to[i] = row(number);
    }
    kernels_.spread(from.data(), kColors * across_.n_in, block_.data());
    kernels_.across(block_.data(), across_, columns_.data());
    kernels_.gather(columns_.data(), static_cast<int>(pitch_), to.data());
    done_ += kLanes;
  }

  const std::uint8_t* image_;
  const Taps& across_;
  std::int64_t n_rows_;
  const Kernels& kernels_;
  int n_;
  std::size_t pitch_;
  int held_;
  pixels::AlignedVector<float> block_;
  pixels::AlignedVector<float> columns_;
  pixels::AlignedVector<float> ring_;
  std::int64_t done_ = 0;
};

const Kernels* find(Path path) {
  switch (path) {
    case Path::kScalar:
      return &scalar_kernels();
    case Path::kAvx2:
    case Path::kAvx512:  // the same kernels: memory is the limit there
      return avx2_kernels();
    case Path::kNeon:
      return neon_kernels();
    case Path::kAuto:
      break;
  }
  for (const Kernels* found : {avx2_kernels(), neon_kernels()}) {
    if (found != nullptr) return found;
  }
  return &scalar_kernels();
}

}  // namespace

const Kernels& kernels(Path path) {
  const Kernels* found = find(path);
  if (found == nullptr) {
    throw ArgumentError(
        "float_resize: got a kernel that this machine cannot run; use 'auto'");
  }
  return *found;
}

Path resize(const std::uint8_t* image, const Taps& across, const Taps& down, Path path,
            std::uint8_t* out) {
  const Kernels& chosen = kernels(path);
  check(across, "across");
  check(down, "down");
  Squeezed squeezed(image, across, down, chosen);
  std::vector<const float*> rows(static_cast<std::size_t>(down.most));
  const int n = kColors * across.n_out;
  for (std::ptrdiff_t y = 0; y < down.n_out; ++y) {
    squeezed.make(down.first[y] + down.count[y]);
    for (std::int64_t k = 0; k < down.count[y]; ++k) {
      rows[static_cast<std::size_t>(k)] = squeezed.row(down.first[y] + k);
    }
    chosen.down(rows.data(), down.weight + y * down.most, down.count[y], n,
                out + y * n);
  }
  return chosen.path;
}

}  // namespace edgeval::floats
