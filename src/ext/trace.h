/* The trace function that greenlet.settrace sets, one per thread. */

#ifndef GREENLET_EXT_TRACE_H
#define GREENLET_EXT_TRACE_H

#include "thread.h"

/* What trace_switch does if there is a trace function. */
int trace_report(struct thread *thread, struct greenlet *origin,
                 struct greenlet *target, bool thrown);

/* Report the switch that has just landed, if there is a trace function;
   `thrown` says that it hands over the exception that is set.  If the trace
   function raises, tracing is off, its exception replaces the one that was set,
   and the result is -1.  Runs Python code and may switch. */
static inline int
trace_switch(struct thread *thread, struct greenlet *origin,
             struct greenlet *target, bool thrown)
{
    return LIKELY(thread->trace == NULL)
               ? 0
               : trace_report(thread, origin, target, thrown);
}

/* Put a trace function, a callable or None, where a record or the module's state has it;
   for a record call thread_update_attention afterwards.  Returns a new reference to the
   trace function before, or to None.  Runs no Python code. */
PyObject *trace_exchange(PyObject **place, PyObject *callback);

#endif
