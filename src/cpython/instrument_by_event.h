/* How a function is rewritten where the interpreter does not export
   _Py_Instrument: CPython 3.12 to 3.14.  See part_instrumentation.h.

   Asking for an event of one function and taking that back rewrites it, for all
   tools.  That is done in the name of a tool, whose events are as before in the
   end. */

#ifndef GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H
#define GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H

#include <Python.h>

/* Find the functions of sys.monitoring, and the names of its tools; without them
   functions stay as they are.  To be called at import, before others can put something
   else there. */
void tools_install(void);

int code_instrument(PyCodeObject *code, PyThreadState *tstate);

#endif
