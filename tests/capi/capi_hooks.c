/* A tool that listens to greenlets: it counts what it is told of, or calls Python. */

#include "capi_hooks.h"

#include "capi_client.h"

#include <stdatomic.h>

#define COMBINATIONS 32

/* Lives for ever: whoever asks too late still gets an answer. */
struct watcher {
    _Atomic(long) counts[COMBINATIONS]; /* by what was true of the switch */
    _Atomic(long) released;
    PyObject *callback; /* owned until it is released, or NULL */
};

/* NULL with an exception; found once. */
static const PyGreenlet_API_2 *
table(void)
{
    static const PyGreenlet_API_2 *found;
    if (found == NULL) {
        found = PyGreenlet_Import_2();
    }
    return found;
}

/* What is no greenlet stands for NULL if it is the client's NULL. */
static PyGreenlet *
greenlet_or_null(PyObject *object)
{
    return (PyGreenlet *)(Py_IS_TYPE(object, &PyBaseObject_Type) ? NULL
                                                                 : object);
}

static int
count(void *data, unsigned int events, PyGreenlet *origin, PyGreenlet *target)
{
    struct watcher *watcher = (struct watcher *)data;
    (void)origin;
    (void)target;
    atomic_fetch_add(&watcher->counts[events], 1);
    return 0;
}

/* Counts first: the callback may raise. */
static int
call(void *data, unsigned int events, PyGreenlet *origin, PyGreenlet *target)
{
    struct watcher *watcher = (struct watcher *)data;
    PyObject *result;

    (void)count(data, events, origin, target);
    result = PyObject_CallFunction(watcher->callback, "IOO", events, origin,
                                   target);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int
do_nothing(void *data, unsigned int events, PyGreenlet *origin,
           PyGreenlet *target)
{
    (void)data;
    (void)events;
    (void)origin;
    (void)target;
    return 0;
}

static void
release(void *data)
{
    struct watcher *watcher = (struct watcher *)data;
    Py_CLEAR(watcher->callback);
    atomic_fetch_add(&watcher->released, 1);
}

PyObject *
hooks_size(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return table() != NULL ? PyLong_FromSize_t(table()->size) : NULL;
}

/* add_hook(events, flags, callback=None): (number, watcher). */
PyObject *
hooks_add(PyObject *self, PyObject *args)
{
    unsigned int events, flags;
    PyObject *callback = Py_None;
    struct watcher *watcher;
    uint64_t number;

    (void)self;
    if (table() == NULL
        || !PyArg_ParseTuple(args, "II|O", &events, &flags, &callback))
    {
        return NULL;
    }
    watcher = (struct watcher *)PyMem_RawCalloc(1, sizeof *watcher);
    if (watcher == NULL) {
        return PyErr_NoMemory();
    }
    watcher->callback = callback != Py_None ? Py_NewRef(callback) : NULL;
    number = table()->add_hook(watcher->callback != NULL ? call : count,
                               watcher, events, flags, release);
    if (number == 0) {
        Py_CLEAR(watcher->callback);
        PyMem_RawFree(watcher);
        return NULL;
    }
    return Py_BuildValue("KN", (unsigned long long)number,
                         PyLong_FromVoidPtr(watcher));
}

/* add_nothing(events, flags, has_function): the number of a hook that does nothing. */
PyObject *
hooks_add_nothing(PyObject *self, PyObject *args)
{
    unsigned int events, flags;
    int has_function;
    uint64_t number;

    (void)self;
    if (table() == NULL
        || !PyArg_ParseTuple(args, "IIp", &events, &flags, &has_function))
    {
        return NULL;
    }
    number = table()->add_hook(has_function ? do_nothing : NULL, NULL, events,
                               flags, NULL);
    return number != 0 ? PyLong_FromUnsignedLongLong(number) : NULL;
}

PyObject *
hooks_remove(PyObject *self, PyObject *number)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(number);

    (void)self;
    if (PyErr_Occurred() || table() == NULL || table()->remove_hook(value) < 0)
    {
        return NULL;
    }
    Py_RETURN_NONE;
}

static struct watcher *
watcher_of(PyObject *number)
{
    return (struct watcher *)PyLong_AsVoidPtr(number);
}

/* counted(watcher): a dict, by what was true. */
PyObject *
hooks_counted(PyObject *self, PyObject *number)
{
    struct watcher *watcher = watcher_of(number);
    PyObject *counts = PyDict_New();
    int i;

    (void)self;
    for (i = 0; counts != NULL && i < COMBINATIONS; i++) {
        long counted = atomic_load(&watcher->counts[i]);
        PyObject *key = PyLong_FromLong(i);
        PyObject *value = PyLong_FromLong(counted);
        if (counted != 0
            && (key == NULL || value == NULL
                || PyDict_SetItem(counts, key, value) < 0))
        {
            Py_CLEAR(counts);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return counts;
}

PyObject *
hooks_released(PyObject *self, PyObject *number)
{
    (void)self;
    return PyLong_FromLong(atomic_load(&watcher_of(number)->released));
}

struct walk {
    PyObject *found;
    Py_ssize_t limit;
};

static int
visit(PyGreenlet *greenlet, void *data)
{
    struct walk *walk = (struct walk *)data;
    if (PyList_Append(walk->found, (PyObject *)greenlet) < 0) {
        return -1;
    }
    return PyList_GET_SIZE(walk->found) == walk->limit ? 7 : 0;
}

/* walk(thread, limit=0): (result, a list), until there are `limit`. */
PyObject *
hooks_walk(PyObject *self, PyObject *args)
{
    unsigned long thread;
    struct walk walk = {NULL, 0};
    int result;

    (void)self;
    if (table() == NULL || !PyArg_ParseTuple(args, "k|n", &thread, &walk.limit))
    {
        return NULL;
    }
    walk.found = PyList_New(0);
    if (walk.found == NULL) {
        return NULL;
    }
    result = table()->walk(thread, visit, &walk);
    if (result < 0) {
        Py_DECREF(walk.found);
        return NULL;
    }
    return Py_BuildValue("iN", result, walk.found);
}

PyObject *
hooks_frame(PyObject *self, PyObject *object)
{
    PyObject *frame;

    (void)self;
    if (table() == NULL) {
        return NULL;
    }
    frame = table()->get_frame(greenlet_or_null(object));
    return frame == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : frame;
}

PyObject *
hooks_thread(PyObject *self, PyObject *object)
{
    unsigned long ident;

    (void)self;
    if (table() == NULL) {
        return NULL;
    }
    ident = table()->get_thread(greenlet_or_null(object));
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(ident);
}

PyObject *
hooks_serial(PyObject *self, PyObject *object)
{
    uint64_t serial;

    (void)self;
    if (table() == NULL) {
        return NULL;
    }
    serial = table()->get_serial(greenlet_or_null(object));
    return serial != 0 ? PyLong_FromUnsignedLongLong(serial) : NULL;
}
