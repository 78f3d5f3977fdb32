#include "core/simd_neon.hpp"

namespace edgeval::pixels {

// NEON is part of every aarch64 processor: no target attributes, no question at run
// time.
const Kernels* neon_kernels() {
#if defined(__aarch64__)
  static constexpr Kernels kKernels = {
      Path::kNeon,      "neon",         neon::yuv_row,       neon::widen,
      neon::mixed_row,  neon::split,    neon::join,          neon::pack,
      neon::horizontal, neon::vertical, neon::normalise_f32, neon::normalise_f16,
  };
  return &kKernels;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::pixels
