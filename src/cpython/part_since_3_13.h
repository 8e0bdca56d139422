/* needs: part_stack_lists.h or no_stack_lists.h,
   datastack.h, struct interpreter_state.

   What is the same in every CPython from 3.13 on: no cframe, and no nesting of the
   deallocator.  Included by the version files, before what needs tstate_frame and
   tstate_tools_version. */

#ifndef GREENLET_CPYTHON_PART_SINCE_3_13_H
#define GREENLET_CPYTHON_PART_SINCE_3_13_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_ceval.h"

#include "debug_offsets.h"
#include "no_trash_nesting.h"

static inline struct _PyInterpreterFrame *
tstate_frame(const PyThreadState *tstate)
{
    return tstate->current_frame;
}

static inline unsigned
tstate_tools_version(const PyThreadState *tstate)
{
    return (unsigned)RELAXED_LOAD(tstate->eval_breaker)
           & ~(unsigned)_PY_EVAL_EVENTS_MASK;
}

static inline PyThreadState *
tstate_current(void)
{
    return PyThreadState_GetUnchecked();
}

/* Each thread that runs code in a subinterpreter has a thread state of its
   own. */
static inline bool
tstate_is_shared(const PyThreadState *tstate)
{
    (void)tstate;
    return false;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->visible == NULL) {
        return NULL;
    }
    struct _PyInterpreterFrame *running = tstate->current_frame;
    tstate->current_frame = state->visible;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);
    tstate->current_frame = running;
    return frame;
}

/* Until a pending call returns Python makes no other call, and it waits for them at its
   end.  The field lies right behind own_gil, whose place layout.c checks. */
static inline bool
tstate_yield_calls(PyThreadState *tstate)
{
    PyThreadState **handling = &tstate->interp->ceval.pending.handling_thread;
    bool is_under_way = *handling == tstate;
    if (is_under_way) {
        *handling = NULL;
    }
    return is_under_way;
}

static inline void
tstate_reclaim_calls(PyThreadState *tstate)
{
    PyThreadState **handling = &tstate->interp->ceval.pending.handling_thread;
    if (*handling == NULL) {
        *handling = tstate;
    }
}

static inline bool
interpreter_finalizing(void)
{
    return Py_IsFinalizing() != 0;
}

#endif
