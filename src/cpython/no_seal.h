/* Until CPython 3.11 nothing that others can reach refers to the C stack; see
   tstate.h. */

#ifndef GREENLET_CPYTHON_NO_SEAL_H
#define GREENLET_CPYTHON_NO_SEAL_H

#include <Python.h>

struct interpreter_state;

#define STATE_SEALS 0
#define STATE_LENDS 0

static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    (void)state;
    (void)tstate;
    return NULL;
}

static inline void
state_settle(void *lent)
{
    (void)lent;
}

#endif
