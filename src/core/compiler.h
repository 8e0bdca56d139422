/* What is said to the compiler beyond the language. */

#ifndef GREENLET_CORE_COMPILER_H
#define GREENLET_CORE_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#  define LIKELY(condition) __builtin_expect(!!(condition), 1)
/* For what seldom runs, kept apart so that the rest is short. */
#  define OUT_OF_LINE __attribute__((noinline, cold))
#  define NOT_INLINED __attribute__((noinline))
/* What runs at every switch, and in every life, lies side by side.  How long those
   functions take depends on that by a sixth. */
#  define HOT __attribute__((hot))
/* Otherwise GCC takes a function that only prefetches for one without effect. */
#  define ALWAYS_INLINE inline __attribute__((always_inline))
#  define PRAGMA(words) _Pragma(#words)
#  define UNROLL(count) PRAGMA(GCC unroll count)
#  define PREFETCH(address) __builtin_prefetch(address)
#else
#  define LIKELY(condition) (condition)
#  define OUT_OF_LINE
#  define NOT_INLINED
#  define HOT
#  define ALWAYS_INLINE inline
#  define UNROLL(count)
#  define PREFETCH(address) ((void)(address))
#endif

#if defined(__has_feature)
#  if __has_feature(address_sanitizer)
#    define SANITIZES_ADDRESS 1
#  endif
#  if __has_feature(thread_sanitizer)
#    define SANITIZES_THREADS 1
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#  define SANITIZES_ADDRESS 1
#endif
#if defined(__SANITIZE_THREAD__)
#  define SANITIZES_THREADS 1
#endif
/* For a function that returns in another coroutine than it was called in, as
   ThreadSanitizer sees it. */
#if defined(SANITIZES_THREADS) && defined(__clang__)
#  define RETURNS_ELSEWHERE __attribute__((disable_sanitizer_instrumentation))
#elif defined(SANITIZES_THREADS)
#  define RETURNS_ELSEWHERE __attribute__((no_sanitize("thread")))
#else
#  define RETURNS_ELSEWHERE
#endif

#endif
