/* What is the same in every CPython from 3.12 on: an object may have room for
   others' data behind it, and an interpreter a GIL of its own.  Included by the
   version files. */

#ifndef GREENLET_CPYTHON_SINCE_3_12_H
#define GREENLET_CPYTHON_SINCE_3_12_H

#include <Python.h>

static inline PyObject *
object_new_with_room(PyTypeObject *type, size_t room)
{
    return PyUnstable_Object_GC_NewWithExtraData(type, room);
}

#define TSTATE_MODULE_SLOTS                                                    \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},

static inline bool
interpreter_has_own_gil(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return interpreter->ceval.own_gil
           && interpreter != PyInterpreterState_Main();
}

#endif
