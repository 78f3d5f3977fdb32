#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "core/error.hpp"

/// The smallest test harness: CHECK counts, says where, goes on; a test file ends with
/// `return edgeval::test::report();`. No framework and no Python, so that sanitizers
/// and emulated machines need nothing else.
namespace edgeval::test {

struct Tally {
  int checks = 0;
  int failures = 0;
};

inline Tally& tally() {
  static Tally count;
  return count;
}

inline void check(bool ok, const char* what, const char* file, int line) {
  ++tally().checks;
  if (ok) return;
  ++tally().failures;
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

/// Whether `call` throws ArgumentError with `words` in its message.
template <typename Call>
bool refuses(Call&& call, const std::string& words) {
  try {
    call();
  } catch (const ArgumentError& error) {
    return std::string(error.what()).find(words) != std::string::npos;
  }
  return false;
}

/// Prints the count; 0 when every check held and there was one, else 1.
inline int report() {
  std::printf("%d checks, %d failed\n", tally().checks, tally().failures);
  return tally().failures == 0 && tally().checks > 0 ? 0 : 1;
}

}  // namespace edgeval::test

#define CHECK(...) edgeval::test::check((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
#define CHECK_REFUSES(call, words)                                                  \
  edgeval::test::check(edgeval::test::refuses([&] { (void)(call); }, words), #call, \
                       __FILE__, __LINE__)
