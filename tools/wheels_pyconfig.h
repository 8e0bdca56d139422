/* The pyconfig.h with which tools/wheels.py compiles for every system but Windows.
 *
 * CPython's configure writes that file, so there is one for each architecture and version.
 * All that CPython's headers ask of it, as far as our sources include them, is here: what a
 * compiler knows by itself, what such systems have in common, and what changes the layout of
 * a structure that we look into.  tests/tools/test_wheel_headers.py compares what is compiled
 * with this file and with those that configure has written.
 */
#ifndef Py_PYCONFIG_H
#define Py_PYCONFIG_H

/* Before any header of the system's, as configure's file does. */
#if defined(__APPLE__)
#define _DARWIN_C_SOURCE 1
#else
#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#endif

#define SIZEOF_DOUBLE __SIZEOF_DOUBLE__
#define SIZEOF_FLOAT __SIZEOF_FLOAT__
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_DOUBLE __SIZEOF_LONG_DOUBLE__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_PID_T __SIZEOF_INT__
#define SIZEOF_PTHREAD_T __SIZEOF_POINTER__
#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define SIZEOF__BOOL 1

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORDS_BIGENDIAN 1
#define DOUBLE_IS_BIG_ENDIAN_IEEE754 1
#else
#define DOUBLE_IS_LITTLE_ENDIAN_IEEE754 1
#endif

#define HAVE_BUILTIN_ATOMIC 1
#define HAVE_STD_ATOMIC 1

#define HAVE_CLOCK_GETTIME 1
#define HAVE_COPYSIGN 1
#define HAVE_DECL_ISFINITE 1
#define HAVE_DECL_ISINF 1
#define HAVE_DECL_ISNAN 1
#define HAVE_DLOPEN 1
#define HAVE_DYNAMIC_LOADING 1
#define HAVE_ERRNO_H 1
#define HAVE_FORK 1
#define HAVE_HYPOT 1
#define HAVE_PTHREAD_H 1
#define HAVE_ROUND 1
#define HAVE_SIGACTION 1
#define HAVE_SIGALTSTACK 1
#define HAVE_SIGNAL_H 1
#define HAVE_SSIZE_T 1
#define HAVE_SYS_SELECT_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UNISTD_H 1
#define HAVE_WCHAR_H 1
#if defined(__APPLE__)
#define HAVE_KQUEUE 1
#else
#define HAVE_SEM_TIMEDWAIT 1
#endif
#define TIME_WITH_SYS_TIME 1
#define PY_FORMAT_SIZE_T "z"

#define WITH_DOC_STRINGS 1
#define WITH_FREELISTS 1
#define WITH_MIMALLOC 1
#define WITH_PYMALLOC 1

/* Fields in the middle of what an interpreter keeps: configure wants glibc, and one of two
 * architectures; or macOS, since 3.15. */
#if defined(__APPLE__)
#if PY_VERSION_HEX >= 0x030F0000
#define PY_HAVE_PERF_TRAMPOLINE 1
#endif
#elif defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#include <features.h>
#if defined(__GLIBC__) && __SIZEOF_POINTER__ == 8
#define PY_HAVE_PERF_TRAMPOLINE 1
#endif
#endif

#endif
