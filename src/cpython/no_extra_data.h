/* Objects with room behind them, before CPython 3.12 made that a function of
   its own. */

#ifndef GREENLET_CPYTHON_NO_EXTRA_DATA_H
#define GREENLET_CPYTHON_NO_EXTRA_DATA_H

#include <Python.h>

#include <string.h>

/* Memory that the collector can manage comes only from the constructors of
   objects.  The constructor of tuples gives as much as it is asked for, and the
   memory may be freed as an object of any type. */
static inline PyObject *
object_new_with_room(PyTypeObject *type, size_t room)
{
    size_t size = (size_t)type->tp_basicsize + room;
    PyTypeObject *carrier = &PyTuple_Type;
    size_t items
        = (size - (size_t)carrier->tp_basicsize + sizeof(PyObject *) - 1)
          / sizeof(PyObject *);
    PyObject *self = (PyObject *)PyObject_GC_NewVar(PyTupleObject, carrier,
                                                    (Py_ssize_t)items);
    if (self == NULL) {
        return NULL;
    }
    Py_SET_TYPE(self, type);
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        Py_INCREF(type);
    }
    memset(self + 1, 0, size - sizeof *self);
    return self;
}

#endif
