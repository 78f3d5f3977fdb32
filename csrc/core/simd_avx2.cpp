#include "core/simd.hpp"

namespace edgeval::pixels {

const Kernels* avx2_kernels() { return nullptr; }

}  // namespace edgeval::pixels
