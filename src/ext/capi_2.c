/* The second table of the C API; its contract is in greenlet.h. */

#include "capi_2.h"

#include "capi.h"
#include "hooks.h"
#include "inspect.h"
#include "owner.h"

static const char capsule_name[] = "greenlet._C_API_2";

static uint64_t
add_hook(PyGreenlet_Hook function, void *data, unsigned events, unsigned flags,
         void (*release)(void *data))
{
    struct module_state *module = module_state();
    if (module == NULL) {
        return 0;
    }
    if (function == NULL || events == 0 || (events & ~(unsigned)HOOK_EVENTS)
        || (flags & ~(unsigned)PyGreenlet_HOOK_RUNS_NO_PYTHON))
    {
        PyErr_SetString(PyExc_ValueError,
                        "a switch hook needs a function, and at least one "
                        "event; only known events and flags");
        return 0;
    }
    return hooks_add(module, function, data, events, flags, release);
}

static int
remove_hook(uint64_t number)
{
    struct module_state *module = module_state();
    if (module == NULL) {
        return -1;
    }
    int removed = hooks_remove(module, number);
    if (removed == 0) {
        PyErr_Format(PyExc_ValueError, "there is no switch hook %llu",
                     (unsigned long long)number);
    }
    return removed > 0 ? 0 : -1;
}

static int
walk(unsigned long thread, int (*visit)(PyGreenlet *greenlet, void *data),
     void *data)
{
    PyObject *started = inspect_started(NULL, NULL);
    if (started == NULL) {
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(started) && result == 0; i++) {
        PyObject *each = PyList_GET_ITEM(started, i);
        if (thread == 0 || owner_ident(greenlet_from(each)) == thread) {
            result = visit((PyGreenlet *)each, data);
        }
    }
    Py_DECREF(started);
    return result;
}

static PyObject *
get_frame(PyGreenlet *self)
{
    return capi_require(self) < 0 ? NULL
                                  : owner_parked_frame(greenlet_of(self));
}

static unsigned long
get_thread(PyGreenlet *self)
{
    return capi_require(self) < 0 ? 0 : owner_ident(greenlet_of(self));
}

static uint64_t
get_serial(PyGreenlet *self)
{
    return capi_require(self) < 0 ? 0 : owner_serial(greenlet_of(self));
}

static const PyGreenlet_API_2 table = {
    .size = sizeof table,
    .add_hook = add_hook,
    .remove_hook = remove_hook,
    .walk = walk,
    .get_frame = get_frame,
    .get_thread = get_thread,
    .get_serial = get_serial,
};

int
capi_2_init(struct module_state *module)
{
    module->capi_2 = PyCapsule_New((void *)&table, capsule_name, NULL);
    return module->capi_2 == NULL ? -1 : 0;
}

/* A hook in Python: what it calls, and by what names it calls all combinations of events. */
struct callback {
    PyObject *function;
    PyObject *names; /* a tuple */
};

static int
callback_call(void *data, unsigned events, PyGreenlet *origin,
              PyGreenlet *target)
{
    const struct callback *callback = data;
    PyObject *args[] = {PyTuple_GET_ITEM(callback->names, events),
                        (PyObject *)origin, (PyObject *)target};
    PyThreadState *tstate = tstate_current();
    tstate_enter_tracing(tstate);
    PyObject *result = PyObject_Vectorcall(callback->function, args, 3, NULL);
    tstate_leave_tracing(tstate);
    if (result == NULL) {
        PyErr_WriteUnraisable(callback->function);
    }
    Py_XDECREF(result);
    return 0;
}

static void
callback_release(void *data)
{
    struct callback *callback = data;
    Py_DECREF(callback->function);
    Py_DECREF(callback->names);
    PyMem_RawFree(callback);
}

PyObject *
capi_2_add_callback(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *function, *names;
    unsigned events;
    if (!PyArg_ParseTuple(args, "OIO!:_add_hook", &function, &events,
                          &PyTuple_Type, &names))
    {
        return NULL;
    }
    if (PyTuple_GET_SIZE(names) <= HOOK_EVENTS) {
        PyErr_SetString(PyExc_ValueError, "not all combinations have a name");
        return NULL;
    }
    struct callback *callback = PyMem_RawMalloc(sizeof *callback);
    if (callback == NULL) {
        return PyErr_NoMemory();
    }
    *callback = (struct callback){.function = Py_NewRef(function),
                                  .names = Py_NewRef(names)};
    uint64_t number
        = add_hook(callback_call, callback, events, 0, callback_release);
    if (number == 0) {
        callback_release(callback);
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(number);
}

PyObject *
capi_2_remove_callback(PyObject *module, PyObject *number)
{
    (void)module;
    unsigned long long value = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred() || remove_hook(value) < 0) {
        return NULL;
    }
    return Py_NewRef(Py_None);
}
