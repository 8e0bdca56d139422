/* Calling the trace function; see trace.h. */

#include "trace.h"

#include "module.h"

int
trace_switch(struct thread *thread, struct greenlet *origin,
             struct greenlet *target, bool thrown)
{
    if (thread->trace == NULL) {
        return 0;
    }
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

PyObject *
trace_set(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *callback;
    if (!PyArg_ParseTuple(args, "O", &callback)) {
        return NULL;
    }
    struct thread *thread = thread_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyObject *previous = thread->trace;
    thread->trace = callback == Py_None ? NULL : Py_NewRef(callback);
    thread_update_attention(thread);
    return previous != NULL ? previous : Py_NewRef(Py_None);
}

PyObject *
trace_get(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    struct thread *thread = thread_enter();
    if (thread == NULL) {
        return NULL;
    }
    return Py_NewRef(thread->trace != NULL ? thread->trace : Py_None);
}
