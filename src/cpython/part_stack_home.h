/* needs: struct _PyInterpreterFrame, struct stack_end, end_note, end_init, end_enter.

   From CPython 3.14 on a thread state says where the stack is that its code runs
   on; see tstate.h.  The bounds tell runaway recursion from other mistakes.

   struct stack_end is what the chain of frames on a stack ends in.  end_note
   makes it for the thread's own stack, end_init for another stack; end_enter
   makes it the thread state's. */

#ifndef GREENLET_CPYTHON_PART_STACK_HOME_H
#define GREENLET_CPYTHON_PART_STACK_HOME_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_pythonrun.h"
#include "internal/pycore_tstate.h"

#define HOME_SMALLEST ((size_t)256 * 1024)

/* In the thread state's order. */
struct stack_bounds {
    uintptr_t top;
    uintptr_t soft_limit;
    uintptr_t hard_limit;
};

static_assert(offsetof(_PyThreadStateImpl, c_stack_soft_limit)
                      - offsetof(_PyThreadStateImpl, c_stack_top)
                  == offsetof(struct stack_bounds, soft_limit),
              "the bounds are in this order");
static_assert(offsetof(_PyThreadStateImpl, c_stack_hard_limit)
                      - offsetof(_PyThreadStateImpl, c_stack_top)
                  == offsetof(struct stack_bounds, hard_limit),
              "the bounds are in this order");

struct stack_home {
    struct stack_bounds bounds;
    struct stack_end end;
};

struct stack_homes {
    struct stack_home threads_own;
    const struct stack_home *current;
};

/* Where the running interpreter keeps the bounds: behind PyThreadState, which patch
   releases make longer. */
static inline struct stack_bounds *
tstate_bounds(PyThreadState *tstate)
{
    size_t behind
        = offsetof(_PyThreadStateImpl, c_stack_top) - sizeof(PyThreadState);
    char *end = (char *)tstate + _PyRuntime.debug_offsets.thread_state.size;
    return (struct stack_bounds *)(void *)(end + behind);
}

/* Note the bounds of the thread's own stack: while it is in use the interpreter
   may change them. */
static inline void
homes_note_threads_own(struct stack_homes *homes, PyThreadState *tstate)
{
    homes->threads_own.bounds = *tstate_bounds(tstate);
    end_note(&homes->threads_own.end, tstate);
}

static inline bool
home_contains(const struct stack_home *home, uintptr_t address)
{
    return address <= home->bounds.top
           && address > home->bounds.hard_limit - _PyOS_STACK_MARGIN_BYTES;
}

/* A thread state that is made in a greenlet, for a call into another
   interpreter, takes the native thread's stack for the stack in use.  Its
   objects would not be freed then: it would seem too deep in the stack for more
   calls. */
static inline bool
homes_init(struct stack_homes *homes, PyThreadState *tstate,
           const struct stack_homes *callers)
{
    bool is_callers
        = callers != NULL
          && home_contains(callers->current, _Py_get_machine_stack_pointer());
    if (is_callers) {
        *tstate_bounds(tstate) = callers->current->bounds;
    }
    homes_note_threads_own(homes, tstate);
    homes->current = &homes->threads_own;
    return is_callers;
}

static inline size_t
homes_extent(const struct stack_homes *homes)
{
    const struct stack_bounds *bounds = &homes->threads_own.bounds;
    return bounds->top - bounds->soft_limit + 2 * _PyOS_STACK_MARGIN_BYTES;
}

static inline void
home_init(struct stack_home *home, const PyThreadState *tstate,
          const char *bottom, const char *top)
{
    home->bounds.top = (uintptr_t)top;
    home->bounds.hard_limit = (uintptr_t)bottom + _PyOS_STACK_MARGIN_BYTES;
    home->bounds.soft_limit = (uintptr_t)bottom + 2 * _PyOS_STACK_MARGIN_BYTES;
    end_init(&home->end, tstate);
}

/* Kept apart from homes_enter, which runs at every switch. */
static inline void
homes_move(struct stack_homes *homes, PyThreadState *tstate,
           const struct stack_home *home)
{
    if (homes->current == &homes->threads_own) {
        homes_note_threads_own(homes, tstate);
    }
    *tstate_bounds(tstate) = home->bounds;
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
