/* Tools that watch a program's memory. */

#ifndef GREENLET_CORE_MEMORY_TOOLS_H
#define GREENLET_CORE_MEMORY_TOOLS_H

#include "compiler.h"

#if defined(__has_include)
#  if __has_include(<valgrind/valgrind.h>)
#    include <valgrind/valgrind.h>
#  endif
#endif

#if defined(RUNNING_ON_VALGRIND)
#  define UNDER_VALGRIND RUNNING_ON_VALGRIND
#else
#  define UNDER_VALGRIND 0
#endif

/* Does a tool know where each of malloc's blocks begins and ends? */
#if defined(SANITIZES_ADDRESS)
#  define MALLOC_IS_WATCHED 1
#else
#  define MALLOC_IS_WATCHED UNDER_VALGRIND
#endif

#endif
