/* The trace function that greenlet.settrace sets, one per thread. */

#ifndef GREENLET_EXT_TRACE_H
#define GREENLET_EXT_TRACE_H

#include "thread.h"

/* Report the switch that has just landed, if there is a trace function;
   `thrown` says that it hands over the exception that is set.  If the trace
   function raises, tracing is off, its exception is the one that is set, and
   the result is -1.  Runs Python code and may switch. */
int trace_switch(struct thread *thread, struct greenlet *origin,
                 struct greenlet *target, bool thrown);

/* settrace() and gettrace(). */
PyObject *trace_set(PyObject *module, PyObject *args);
PyObject *trace_get(PyObject *module, PyObject *unused);

#endif
