/* What unwinders see, whichever tables the ABI has them read: DWARF's or ARM's own. */

#ifndef GREENLET_TESTS_CORE_UNWINDING_H
#define GREENLET_TESTS_CORE_UNWINDING_H

#include <stdbool.h>
#include <stdint.h>
#include <unwind.h>

typedef void any_function(void);

/* C has no cast from a function to an object pointer, but POSIX does. */
static inline const void *
function_address(any_function *function)
{
    uintptr_t address = (uintptr_t)function;
#if defined(__arm__)
    address &= ~(uintptr_t)1; /* says that it is Thumb code */
#endif
    return (const void *)address;
}

#define ADDRESS_OF(function) function_address((any_function *)(function))

/* The function under way in a frame, or NULL. */
static inline const void *
function_of_frame(struct _Unwind_Context *context)
{
    uintptr_t address = (uintptr_t)_Unwind_GetIP(context);
    if (address == 0) {
        return NULL;
    }
#if defined(__arm__)
    return (const void *)_Unwind_GetRegionStart(context);
#else
    return _Unwind_FindEnclosingFunction((void *)address);
#endif
}

/* How a backtrace ends; whether it tells of the frame at which it does, the one that
   has started a coroutine, and whether that is one of stack_switch by name. */
#if defined(__arm__)
#  define BACKTRACE_END _URC_FAILURE
#  define SHOWS_LAST_FRAME false
#else
#  define BACKTRACE_END _URC_END_OF_STACK
#  define SHOWS_LAST_FRAME true
#endif
#if defined(_WIN32) && !defined(__i386__)
#  define STARTS_BY_NAME false
#else
#  define STARTS_BY_NAME true
#endif

/* Whether the unwinder tells of the callee-saved registers. */
#if defined(__SEH__)
#  define SHOWS_REGISTERS false
#else
#  define SHOWS_REGISTERS true
#endif

#endif
