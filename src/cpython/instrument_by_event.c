/* Rewriting a function by way of sys.monitoring; see instrument_by_event.h. */

#include "tstate.h"

#ifdef GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H

#  include "internal/pycore_instruments.h"
#  include "internal/pycore_interp.h"

#  include <stdatomic.h>

/* The C functions themselves, which belong to no interpreter and stay: each that
   looks for them finds the same. */
typedef PyObject *fast_function(PyObject *self, PyObject *const *args,
                                Py_ssize_t count);
static _Atomic(fast_function *) get_local_events;
static _Atomic(fast_function *) set_local_events;

static fast_function *
known(_Atomic(fast_function *) *function)
{
    return atomic_load_explicit(function, memory_order_relaxed);
}

static void
find_function(_Atomic(fast_function *) *place, const char *name)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    PyObject *function = NULL;
    if (monitoring != NULL) {
        function = PyObject_GetAttrString(monitoring, name);
    }
    if (function != NULL && PyCFunction_CheckExact(function)
        && PyCFunction_GET_FLAGS(function) == METH_FASTCALL)
    {
        atomic_store_explicit(
            place,
            (fast_function *)(void (*)(void))PyCFunction_GET_FUNCTION(function),
            memory_order_relaxed);
    }
    Py_XDECREF(function);
    PyErr_Clear();
}

void
tools_install(void)
{
    if (known(&set_local_events) == NULL) {
        find_function(&get_local_events, "get_local_events");
        find_function(&set_local_events, "set_local_events");
    }
}

static int
set_events(PyObject *tool, PyCodeObject *code, long events)
{
    PyObject *args[] = {tool, (PyObject *)code, PyLong_FromLong(events)};
    if (args[2] == NULL) {
        return -1;
    }
    PyObject *result = known(&set_local_events)(Py_None, args, 3);
    Py_DECREF(args[2]);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* One that nobody uses, or the last one. */
static int
choose_tool(PyObject *const *names)
{
    int last = PY_MONITORING_SYS_PROFILE_ID - 1;
    int tool = last;
    while (tool >= 0 && names[tool] != NULL) {
        tool--;
    }
    return tool >= 0 ? tool : last;
}

/* With a number for the tool of `*name`, which has a name. */
static int
toggle_event(PyObject *tool, PyCodeObject *code)
{
    PyObject *args[] = {tool, (PyObject *)code};
    PyObject *before = known(&get_local_events)(Py_None, args, 2);
    if (before == NULL) {
        return -1;
    }
    long events = PyLong_AsLong(before);
    Py_DECREF(before);
    int result
        = set_events(tool, code, events ^ (1L << PY_MONITORING_EVENT_PY_START));
    return set_events(tool, code, events) < 0 ? -1 : result;
}

int
code_instrument(PyCodeObject *code, PyThreadState *tstate)
{
    if (known(&get_local_events) == NULL || known(&set_local_events) == NULL) {
        return 0;
    }
    PyObject **names = tstate->interp->monitoring_tool_names;
    int tool = choose_tool(names);
    PyObject *name = names[tool];
    PyObject *number = PyLong_FromLong(tool);
    if (number == NULL) {
        return -1;
    }
    /* Only a tool with a name is listened to. */
    names[tool] = Py_None;
    int result = toggle_event(number, code);
    names[tool] = name;
    Py_DECREF(number);
    return result;
}

#endif
