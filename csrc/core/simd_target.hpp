#pragma once

/// Compiles the functions between BEGIN and END for more instructions than the rest of
/// the library, so that no build flag is needed and no inline function of a header is
/// built with instructions the machine may lack. Include headers before BEGIN.
#define EDGEVAL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define EDGEVAL_TARGET_BEGIN(features) \
  EDGEVAL_PRAGMA(                      \
      clang attribute push(__attribute__((target(features))), apply_to = function))
#define EDGEVAL_TARGET_END EDGEVAL_PRAGMA(clang attribute pop)
#else
#define EDGEVAL_TARGET_BEGIN(features) \
  EDGEVAL_PRAGMA(GCC push_options)     \
  EDGEVAL_PRAGMA(GCC target(features))
#define EDGEVAL_TARGET_END EDGEVAL_PRAGMA(GCC pop_options)
#endif
