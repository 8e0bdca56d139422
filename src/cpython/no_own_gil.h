/* Until CPython 3.11 all interpreters of a process share one GIL. */

#ifndef GREENLET_CPYTHON_NO_OWN_GIL_H
#define GREENLET_CPYTHON_NO_OWN_GIL_H

#define TSTATE_MODULE_SLOTS

static inline bool
interpreter_has_own_gil(void)
{
    return false;
}

#endif
