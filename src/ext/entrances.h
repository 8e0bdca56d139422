/* Where calls from outside come in.  Each function finds the record of the calling thread
   once, and hands it down.

   All functions may run Python code and switch: besides what they are for they kill the
   doomed. */

#ifndef GREENLET_EXT_ENTRANCES_H
#define GREENLET_EXT_ENTRANCES_H

#include "message.h"

/* The method switch(), and the same for C code, which consumes the message.  Both return a
   new reference, or NULL with an exception, once somebody has switched back. */
PyObject *entrance_switch_method(PyObject *self, PyObject *const *args,
                                 Py_ssize_t count, PyObject *keywords);
PyObject *entrance_switch(PyGreenlet *target, struct message *message);

/* The method throw(), and the same for C code, where NULL stands for a value or traceback
   that is not given, and `arguments_end` is NULL without a vectorcall.  Both return as
   switch() does. */
PyObject *entrance_throw_method(PyObject *self, PyObject *const *args,
                                Py_ssize_t count, PyObject *keywords);
PyObject *entrance_throw(PyGreenlet *target, PyObject *type, PyObject *value,
                         PyObject *traceback, PyObject *const *arguments_end);

/* A new reference to the running greenlet; NULL with an exception, which is a
   RuntimeError once the interpreter is being finalized. */
PyGreenlet *entrance_getcurrent(void);

/* settrace() and gettrace(). */
PyObject *entrance_settrace(PyObject *module, PyObject *args);
PyObject *entrance_gettrace(PyObject *module, PyObject *unused);

#endif
