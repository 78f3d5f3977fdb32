#include "core/simd_avx2.hpp"

namespace edgeval::pixels {

const Kernels* avx2_kernels() {
#if defined(__x86_64__)
  static constexpr Kernels kKernels = {
      Path::kAvx2,      "avx2",         avx2::yuv_row,       avx2::widen,
      avx2::mixed_row,  avx2::split,    avx2::join,          avx2::pack,
      avx2::horizontal, avx2::vertical, avx2::normalise_f32, avx2::normalise_f16,
  };
  static const bool here =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
  return here ? &kKernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace edgeval::pixels
