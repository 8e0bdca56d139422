/* Rewriting a function by way of sys.monitoring; see instrument_by_event.h. */

#include "tstate.h"

#ifdef GREENLET_CPYTHON_INSTRUMENT_BY_EVENT_H

#  include "internal/pycore_instruments.h"
#  include "internal/pycore_interp.h"

#  include "layout.h"

#  include <stdatomic.h>

/* The C functions themselves, which belong to no interpreter and stay: each
   interpreter that looks for them finds the same. */
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
find_function(_Atomic(fast_function *) *place, PyObject *monitoring,
              const char *name)
{
    PyObject *function = PyObject_GetAttrString(monitoring, name);
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

/* Where the names of the tools are in an interpreter's state; 0 if that is not known.
   Patch releases move them. */
static _Atomic(size_t) names_offset;

/* How far the names may be from where our headers have them. */
#  define NAMES_DRIFT ((size_t)4096)

static PyObject **
names_at(PyInterpreterState *interpreter, size_t offset)
{
    return (PyObject **)(void *)((char *)interpreter + offset);
}

/* The offset of the names, if `tool` has this one, which nothing else in the
   interpreter's state refers to.  0 if it is not found. */
static size_t
search_names(PyInterpreterState *interpreter, int tool, const PyObject *name)
{
    size_t expected = offsetof(PyInterpreterState, monitoring_tool_names);
    size_t end = Py_MIN(expected + NAMES_DRIFT, layout_interpreter_size());
    size_t names_size = PY_MONITORING_SYS_PROFILE_ID * sizeof(void *);
    size_t offset = expected - NAMES_DRIFT;
    while (offset + names_size <= end) {
        if (names_at(interpreter, offset)[tool] == name) {
            return offset;
        }
        offset += sizeof(void *);
    }
    return 0;
}

/* A tool that had no name has this one: note where that is, and take the name
   back.  free_tool_id would do that too, but has all functions rewritten. */
static void
note_names(PyObject *monitoring, int tool, PyObject *name)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    size_t offset = search_names(interpreter, tool, name);
    if (offset == 0) {
        Py_XDECREF(PyObject_CallMethod(monitoring, "free_tool_id", "i", tool));
        return;
    }
    names_at(interpreter, offset)[tool] = NULL;
    Py_DECREF(name);
    atomic_store_explicit(&names_offset, offset, memory_order_relaxed);
}

/* Where all tools have names the offset is not found, and functions stay as
   they are. */
static void
find_names(PyObject *monitoring)
{
    PyObject *name = PyUnicode_FromFormat("greenlet %p", (void *)monitoring);
    for (int tool = PY_MONITORING_SYS_PROFILE_ID - 1; tool >= 0 && name != NULL;
         tool--)
    {
        PyObject *used
            = PyObject_CallMethod(monitoring, "use_tool_id", "iO", tool, name);
        if (used != NULL) {
            note_names(monitoring, tool, name);
            Py_DECREF(used);
            break;
        }
        PyErr_Clear();
    }
    Py_XDECREF(name);
    PyErr_Clear();
}

void
tools_install(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL) {
        return;
    }
    if (known(&set_local_events) == NULL) {
        find_function(&get_local_events, monitoring, "get_local_events");
        find_function(&set_local_events, monitoring, "set_local_events");
    }
    if (atomic_load_explicit(&names_offset, memory_order_relaxed) == 0) {
        find_names(monitoring);
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

/* A tool that nobody uses, or else the last one. */
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

/* Ask for an event of a function in the name of a tool, which has a name, and
   take that back.  -1 with an exception. */
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

/* Of the names that are lent for a moment. */
static struct lock names_lock;

int
code_instrument(PyCodeObject *code, PyThreadState *tstate)
{
    if (known(&get_local_events) == NULL || known(&set_local_events) == NULL) {
        return 0;
    }
    size_t offset = atomic_load_explicit(&names_offset, memory_order_relaxed);
    if (offset == 0) {
        return 0;
    }
    PyObject **names = names_at(tstate->interp, offset);
    lock_take_at_rest(&names_lock);
    int tool = choose_tool(names);
    PyObject *number = PyLong_FromLong(tool);
    if (number == NULL) {
        lock_leave(&names_lock);
        return -1;
    }
    PyObject *name = names[tool];
    /* Only a tool with a name is listened to. */
    names[tool] = Py_None;
    int result = toggle_event(number, code);
    names[tool] = name;
    lock_leave(&names_lock);
    Py_DECREF(number);
    return result;
}

#endif
