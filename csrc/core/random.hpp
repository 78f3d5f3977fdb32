#pragma once

#include <array>
#include <cstdint>

/// Random numbers that are a function of (seed, where they are used), not of what was
/// drawn before: any part of a result can be computed alone, in any order, on any
/// thread.
namespace edgeval {

/// What a number is drawn for; part of the counter, so that no two uses share a stream.
enum class Draws : std::uint32_t { kShuffle = 1, kBootstrap = 2 };

/// One block of Philox4x32-10: four 32-bit words from a 128-bit counter and a 64-bit
/// key. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
/// section 3.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// The two 64-bit words of `block` (below 2^32) in stream `stream` of `use`.
std::array<std::uint64_t, 2> random_words(std::uint64_t seed, Draws use,
                                          std::uint64_t stream, std::uint32_t block);

/// `word` scaled down to [0, n); n below 2^32. Its bias is below n / 2^64.
inline std::uint64_t scaled_below(std::uint64_t word, std::uint64_t n) {
  const std::uint64_t low = (word & 0xffffffffU) * n;
  return ((word >> 32U) * n + (low >> 32U)) >> 32U;
}

}  // namespace edgeval
