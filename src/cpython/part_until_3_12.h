/* needs: nothing.

   What is the same in every CPython until 3.12. */

#ifndef GREENLET_CPYTHON_PART_UNTIL_3_12_H
#define GREENLET_CPYTHON_PART_UNTIL_3_12_H

#include <Python.h>

#include <stdbool.h>

/* A subinterpreter has one thread state for all native threads that are told to run
   code in it, one after the other, and for the thread that ends it. */
static inline bool
tstate_is_shared(const PyThreadState *tstate)
{
    return tstate->interp != PyInterpreterState_Main();
}

/* Other pending calls are not made before, but Python does not wait for them at its end. */
static inline bool
tstate_yield_calls(PyThreadState *tstate)
{
    (void)tstate;
    return false;
}

static inline void
tstate_reclaim_calls(PyThreadState *tstate)
{
    (void)tstate;
}

static inline bool
interpreter_finalizing(void)
{
    return _Py_IsFinalizing() != 0;
}

#endif
