/* How a function is rewritten where the interpreter does not export what does
   it: CPython 3.12 to 3.14.  See instrumentation.h.

   Asking for an event of one function and taking that back rewrites it, also
   for all the other tools.  That needs the identity of a tool, and takes one
   that nobody uses; if all are in use the function stays as it is. */

#ifndef GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H
#define GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H

#include "internal/pycore_instruments.h"
#include "internal/pycore_interp.h"

/* sys.monitoring.set_local_events as the interpreter made it: a new reference,
   or NULL, perhaps with an exception. */
static inline PyObject *
monitoring_set_local_events(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL || !PyModule_CheckExact(monitoring)) {
        return NULL;
    }
    PyObject *function = PyObject_GetAttrString(monitoring, "set_local_events");
    if (function != NULL && !PyCFunction_CheckExact(function)) {
        Py_CLEAR(function);
    }
    return function;
}

static inline int
code_set_local_events(PyObject *function, int tool, PyCodeObject *code,
                      int events)
{
    PyObject *result
        = PyObject_CallFunction(function, "iOi", tool, code, events);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static inline int
code_instrument(PyCodeObject *code, PyThreadState *tstate)
{
    PyObject **names = tstate->interp->monitoring_tool_names;
    int tool = PY_MONITORING_SYS_PROFILE_ID - 1;
    while (tool >= 0 && names[tool] != NULL) {
        tool--;
    }
    if (tool < 0) {
        return 0;
    }
    PyObject *function = monitoring_set_local_events();
    if (function == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    names[tool] = Py_None;
    int result = code_set_local_events(function, tool, code,
                                       1 << PY_MONITORING_EVENT_PY_START);
    if (code_set_local_events(function, tool, code, 0) < 0) {
        result = -1;
    }
    names[tool] = NULL;
    Py_DECREF(function);
    return result;
}

#endif
