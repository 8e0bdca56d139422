/* Calling the trace function; see trace.h. */

#include "trace.h"

PyObject *
trace_exchange(PyObject **place, PyObject *callback)
{
    PyObject *previous = *place;
    *place = callback == Py_None ? NULL : Py_NewRef(callback);
    return previous != NULL ? previous : Py_NewRef(Py_None);
}

int
trace_report(struct thread *thread, struct greenlet *origin,
             struct greenlet *target, bool thrown)
{
    assert(thread == target->thread && thread->trace != NULL);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *callback = Py_NewRef(thread->trace);
    PyObject *event
        = thrown ? thread->module->name_throw : thread->module->name_switch;

    tstate_enter_tracing(thread->tstate);
    PyObject *result = PyObject_CallFunction(callback, "O(OO)", event,
                                             origin->object, target->object);
    tstate_leave_tracing(thread->tstate);
    Py_DECREF(callback);
    if (result != NULL) {
        Py_DECREF(result);
        PyErr_Restore(type, value, traceback);
        return 0;
    }
    callback = thread->trace;
    thread->trace = NULL;
    thread_update_attention(thread);
    Py_XDECREF(callback);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return -1;
}
