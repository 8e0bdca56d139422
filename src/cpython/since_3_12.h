/* What is the same in every CPython from 3.12 on: an object may have room for
   others' data behind it.  Included by the version files. */

#ifndef GREENLET_CPYTHON_SINCE_3_12_H
#define GREENLET_CPYTHON_SINCE_3_12_H

#include <Python.h>

#define TSTATE_HAS_ROOM_BEHIND

static inline PyObject *
object_new_with_room(PyTypeObject *type, size_t room)
{
    return PyUnstable_Object_GC_NewWithExtraData(type, room);
}

#endif
