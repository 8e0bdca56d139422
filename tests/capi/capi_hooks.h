/* Functions of the capi_client extension for the second table of greenlet.h. */

#ifndef CAPI_HOOKS_H
#define CAPI_HOOKS_H

#include <Python.h>

PyObject *hooks_size(PyObject *self, PyObject *unused);
PyObject *hooks_add(PyObject *self, PyObject *args);
PyObject *hooks_add_nothing(PyObject *self, PyObject *args);
PyObject *hooks_remove(PyObject *self, PyObject *number);
PyObject *hooks_counted(PyObject *self, PyObject *watcher);
PyObject *hooks_released(PyObject *self, PyObject *watcher);
PyObject *hooks_walk(PyObject *self, PyObject *args);
PyObject *hooks_frame(PyObject *self, PyObject *object);
PyObject *hooks_thread(PyObject *self, PyObject *object);
PyObject *hooks_serial(PyObject *self, PyObject *object);

#endif
