#include "core/simd.hpp"

namespace edgeval::pixels {

const Kernels* avx512_kernels() { return nullptr; }

}  // namespace edgeval::pixels
