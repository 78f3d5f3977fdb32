#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace edgeval::pixels {

/// Allocates on cache lines, so that no vector load or store of a row straddles two.
template <typename T>
struct CacheAligned {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};

  CacheAligned() = default;
  template <typename U>
  explicit CacheAligned(const CacheAligned<U>& /*other*/) {}

  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), kLine));
  }
  void deallocate(T* memory, std::size_t /*n*/) { ::operator delete(memory, kLine); }

  friend bool operator==(const CacheAligned& /*a*/, const CacheAligned& /*b*/) {
    return true;
  }
  friend bool operator!=(const CacheAligned& /*a*/, const CacheAligned& /*b*/) {
    return false;
  }
};

template <typename T>
using AlignedVector = std::vector<T, CacheAligned<T>>;

}  // namespace edgeval::pixels
