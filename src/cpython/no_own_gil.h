/* Until CPython 3.11 all interpreters of a process share one GIL, and an object that is made
   may start a collection. */

#ifndef GREENLET_CPYTHON_NO_OWN_GIL_H
#define GREENLET_CPYTHON_NO_OWN_GIL_H

#include <stdbool.h>

#define TSTATE_MODULE_SLOTS

static inline int
collector_pause(void)
{
    return PyGC_Disable();
}

static inline void
collector_go_on(int paused)
{
    if (paused) {
        PyGC_Enable();
    }
}

static inline bool
interpreter_runs_apart(void)
{
    return false;
}

#endif
