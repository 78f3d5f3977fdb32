#include "core/simd.hpp"

namespace edgeval::pixels {

const Kernels* neon_kernels() { return nullptr; }

}  // namespace edgeval::pixels
