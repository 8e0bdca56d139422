/* Until CPython 3.12 a subinterpreter has one thread state for all native threads that
   are told to run code in it, one after the other, and for the one that ends it. */

#ifndef GREENLET_CPYTHON_SHARED_TSTATE_H
#define GREENLET_CPYTHON_SHARED_TSTATE_H

static inline bool
tstate_is_shared(const PyThreadState *tstate)
{
    return tstate->interp != PyInterpreterState_Main();
}

#endif
