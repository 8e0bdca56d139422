/* What we tell the compiler beyond the C language, and names that are ours. */

/* Some systems' headers, which come with Python's, define these as nothing.  What is written with
   them then still compiles and means something else; so each header with them includes this,
   and no guard is around it: Python's headers may have come since the last time. */
#undef near
#undef far

#ifndef GREENLET_CORE_COMPILER_H
#define GREENLET_CORE_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#  define LIKELY(condition) __builtin_expect(!!(condition), 1)
/* For functions that seldom run: their callers stay short. */
#  define OUT_OF_LINE __attribute__((noinline, cold))
#  define NOT_INLINED __attribute__((noinline))
/* Functions that run at every switch, or in every coroutine's life, lie side by
   side.  That changes the time that they take by a sixth. */
#  define HOT __attribute__((hot))
/* Otherwise GCC drops calls of a function that only prefetches, and calls one that is hot and
   has two callers. */
#  define ALWAYS_INLINE inline __attribute__((always_inline))
#  define PRAGMA(words) _Pragma(#words)
#  define UNROLL(count) PRAGMA(GCC unroll count)
#  define PREFETCH(address) __builtin_prefetch(address)
/* To a variable that other threads may read meanwhile: they find one of the values that
   were written, and nothing is said of other variables. */
#  define RELAXED_STORE(place, value)                                          \
    __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)
#else
#  define LIKELY(condition) (condition)
#  define OUT_OF_LINE
#  define NOT_INLINED
#  define HOT
#  define ALWAYS_INLINE inline
#  define UNROLL(count)
#  define PREFETCH(address) ((void)(address))
#  define RELAXED_STORE(place, value) ((void)((place) = (value)))
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
/* For a function that, as the sanitizers see it, returns in another coroutine
   than the one that called it.  ThreadSanitizer would take the call off the
   other coroutine's list.  AddressSanitizer may keep the function's locals
   apart from the stack, in memory that is freed when the coroutine ends. */
#if !defined(SANITIZES_ADDRESS) && !defined(SANITIZES_THREADS)
#  define RETURNS_ELSEWHERE
#elif defined(__clang__)
/* The second attribute alone does not stop AddressSanitizer up to clang 14;
   no_sanitize does not stop ThreadSanitizer's list of calls. */
#  define RETURNS_ELSEWHERE                                                    \
    __attribute__((no_sanitize("address"), disable_sanitizer_instrumentation))
#else
#  define RETURNS_ELSEWHERE __attribute__((no_sanitize("address,thread")))
#endif

#endif
