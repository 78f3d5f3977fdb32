#pragma once

namespace edgeval {

/// Which instructions a kernel is written in. All give the same bits.
enum class Path { kAuto, kScalar, kAvx2, kAvx512, kNeon };

}  // namespace edgeval
