#include "core/simd.hpp"

#include <string>

#include "core/error.hpp"

namespace edgeval::pixels {
namespace {

const char* name_of(Path path) {
  switch (path) {
    case Path::kScalar:
      return "scalar";
    case Path::kAvx2:
      return "avx2";
    case Path::kAvx512:
      return "avx512";
    case Path::kNeon:
      return "neon";
    case Path::kAuto:
      break;
  }
  return "auto";
}

const Kernels* find(Path path) {
  switch (path) {
    case Path::kScalar:
      return &scalar_kernels();
    case Path::kAvx2:
      return avx2_kernels();
    case Path::kAvx512:
      return avx512_kernels();
    case Path::kNeon:
      return neon_kernels();
    case Path::kAuto:
      break;
  }
  for (const Path fastest : {Path::kAvx512, Path::kAvx2, Path::kNeon}) {
    if (const Kernels* found = find(fastest)) return found;
  }
  return &scalar_kernels();
}

}  // namespace

bool has(Path path) { return find(path) != nullptr; }

const Kernels& kernels(Path path) {
  const Kernels* found = find(path);
  if (found == nullptr) {
    throw ArgumentError(std::string("pixels: got kernel '") + name_of(path) +
                        "', which this machine cannot run; use 'auto'");
  }
  return *found;
}

}  // namespace edgeval::pixels
