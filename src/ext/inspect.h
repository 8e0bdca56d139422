/* What greenlet.debug asks of the greenlets of all threads; see docs.h.

   Nothing here is called, and nothing here costs anything, unless somebody
   debugs. */

#ifndef GREENLET_EXT_INSPECT_H
#define GREENLET_EXT_INSPECT_H

#include "object.h"

/* Functions of the module.  A collection of garbage may run Python code in each. */
PyObject *inspect_started(PyObject *module, PyObject *unused);
PyObject *inspect_describe(PyObject *module, PyObject *object);
PyObject *inspect_run(PyObject *module, PyObject *object);
PyObject *inspect_is_dead(PyObject *module, PyObject *object);
PyObject *inspect_stack_of(PyObject *module, PyObject *object);
PyObject *inspect_serial_of(PyObject *module, PyObject *object);
PyObject *inspect_exchange_trace(PyObject *module, PyObject *args);
PyObject *inspect_exchange_trace_of_new_threads(PyObject *module,
                                                PyObject *callback);

#endif
