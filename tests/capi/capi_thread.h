/* Native threads of the capi_client extension. */

#ifndef CAPI_THREAD_H
#define CAPI_THREAD_H

#include <Python.h>

/* visit(kind, visits, callback), see capi_thread.c. */
PyObject *thread_visit(PyObject *self, PyObject *args);

#endif
