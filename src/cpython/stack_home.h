/* From CPython 3.14 on a thread state says where the stack is that its code runs
   on; see tstate.h.  The bounds tell runaway recursion from other mistakes.

   The version file defines struct stack_end, what the chain of frames on a stack
   ends in, with end_note for the thread's own stack, end_init for another one, and
   end_enter to go there. */

#ifndef GREENLET_CPYTHON_STACK_HOME_H
#define GREENLET_CPYTHON_STACK_HOME_H

#include "internal/pycore_pythonrun.h"
#include "internal/pycore_tstate.h"

#define HOME_SMALLEST ((size_t)256 * 1024)

struct stack_home {
    uintptr_t top;
    uintptr_t soft_limit;
    uintptr_t hard_limit;
    struct stack_end end;
};

struct stack_homes {
    struct stack_home threads_own;
    const struct stack_home *current;
};

static inline void
homes_note_threads_own(struct stack_homes *homes, const PyThreadState *tstate)
{
    const _PyThreadStateImpl *whole = (const _PyThreadStateImpl *)tstate;
    homes->threads_own.top = whole->c_stack_top;
    homes->threads_own.soft_limit = whole->c_stack_soft_limit;
    homes->threads_own.hard_limit = whole->c_stack_hard_limit;
    end_note(&homes->threads_own.end, tstate);
}

/* The bounds of a stack are those of the home, as far as the interpreter goes. */
static inline void
home_set_bounds(const struct stack_home *home, PyThreadState *tstate)
{
    _PyThreadStateImpl *whole = (_PyThreadStateImpl *)tstate;
    whole->c_stack_top = home->top;
    whole->c_stack_soft_limit = home->soft_limit;
    whole->c_stack_hard_limit = home->hard_limit;
}

static inline bool
home_contains(const struct stack_home *home, uintptr_t address)
{
    return address <= home->top
           && address > home->hard_limit - _PyOS_STACK_MARGIN_BYTES;
}

/* A thread state that is made in a greenlet, for a call into another interpreter, takes
   the native thread's stack for the one in use.  With that its objects would not be
   freed: too deep in the stack for more calls, it seems. */
static inline bool
homes_init(struct stack_homes *homes, PyThreadState *tstate,
           const struct stack_homes *callers)
{
    bool is_callers
        = callers != NULL
          && home_contains(callers->current, _Py_get_machine_stack_pointer());
    if (is_callers) {
        home_set_bounds(callers->current, tstate);
    }
    homes_note_threads_own(homes, tstate);
    homes->current = &homes->threads_own;
    return is_callers;
}

static inline void
home_init(struct stack_home *home, const PyThreadState *tstate,
          const char *bottom, const char *top)
{
    home->top = (uintptr_t)top;
    home->hard_limit = (uintptr_t)bottom + _PyOS_STACK_MARGIN_BYTES;
    home->soft_limit = (uintptr_t)bottom + 2 * _PyOS_STACK_MARGIN_BYTES;
    end_init(&home->end, tstate);
}

/* Kept apart from homes_enter, which runs at every switch.  The bounds of the
   thread's own stack are the interpreter's to change while it is in use. */
static inline void
homes_move(struct stack_homes *homes, PyThreadState *tstate,
           const struct stack_home *home)
{
    if (homes->current == &homes->threads_own) {
        homes_note_threads_own(homes, tstate);
    }
    home_set_bounds(home, tstate);
    end_enter(&home->end, tstate);
    homes->current = home;
}

static inline void
homes_enter(struct stack_homes *homes, PyThreadState *tstate,
            const struct stack_home *home)
{
    if (home == NULL) {
        home = &homes->threads_own;
    }
    if (home != homes->current) {
        homes_move(homes, tstate, home);
    }
}

#endif
