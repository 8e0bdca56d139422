/* From CPython 3.13 on the deallocator does not count how deep it is; see tstate.h. */

#ifndef GREENLET_CPYTHON_NO_TRASH_NESTING_H
#define GREENLET_CPYTHON_NO_TRASH_NESTING_H

#include <Python.h>

#define TSTATE_HAS_TRASH_NESTING 0

static inline PyObject *
tstate_trash_nesting(PyThreadState *tstate)
{
    (void)tstate;
    return PyLong_FromLong(0);
}

#endif
