#include "core/random.hpp"

namespace edgeval {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    const auto high0 = static_cast<std::uint32_t>(product0 >> 32U);
    const auto high1 = static_cast<std::uint32_t>(product1 >> 32U);
    counter = {high1 ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               high0 ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::array<std::uint64_t, 2> random_words(std::uint64_t seed, Draws use,
                                          std::uint64_t stream, std::uint32_t block) {
  const std::array<std::uint32_t, 4> words = philox4x32(
      {block, static_cast<std::uint32_t>(use), static_cast<std::uint32_t>(stream),
       static_cast<std::uint32_t>(stream >> 32U)},
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)});
  return {(static_cast<std::uint64_t>(words[1]) << 32U) | words[0],
          (static_cast<std::uint64_t>(words[3]) << 32U) | words[2]};
}

}  // namespace edgeval
