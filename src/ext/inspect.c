/* Looking at the greenlets of all threads; see inspect.h. */

#include "inspect.h"

#include "owner.h"
#include "type.h"

PyObject *
inspect_started(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    const struct module_state *module = module_state();
    if (module == NULL) {
        return NULL;
    }
    for (;;) {
        Py_ssize_t count = owner_collect(module, NULL);
        PyObject *list = PyList_New(count);
        if (list == NULL) {
            return NULL;
        }
        /* Meanwhile some may have started or ended. */
        if (owner_collect(module, list) == count) {
            return list;
        }
        Py_DECREF(list);
    }
}

static const char *
name_of_state(const struct greenlet *greenlet)
{
    if (greenlet_is_dead(greenlet)) {
        return "dead";
    }
    if (!greenlet_is_alive(greenlet)) {
        return "unstarted";
    }
    return greenlet_is_running(greenlet) ? "running" : "parked";
}

/* A new reference to the innermost frame; None if there is none; NULL with an
   exception.  Runs no Python code. */
static PyObject *
find_frame(struct greenlet *greenlet)
{
    PyObject *frame = owner_frame(greenlet);
    return frame != NULL || PyErr_Occurred() ? frame : Py_NewRef(Py_None);
}

/* The ident of its thread, or None; NULL with an exception.  Runs no Python code. */
static PyObject *
find_thread_ident(struct greenlet *greenlet)
{
    unsigned long ident = owner_ident(greenlet);
    return ident != 0 ? PyLong_FromUnsignedLong(ident) : Py_NewRef(Py_None);
}

static PyObject *
none_if_missing(PyObject *object)
{
    return object != NULL ? object : Py_NewRef(Py_None);
}

PyObject *
inspect_describe(PyObject *self, PyObject *object)
{
    (void)self;
    if (type_require(object) < 0) {
        return NULL;
    }
    struct greenlet *greenlet = greenlet_from(object);
    PyObject *frame = find_frame(greenlet);
    PyObject *ident = frame != NULL ? find_thread_ident(greenlet) : NULL;
    if (ident == NULL) {
        Py_XDECREF(frame);
        return NULL;
    }
    return Py_BuildValue("sNNN", name_of_state(greenlet), ident,
                         none_if_missing(owner_run(greenlet)), frame);
}

PyObject *
inspect_run(PyObject *self, PyObject *object)
{
    (void)self;
    if (type_require(object) < 0) {
        return NULL;
    }
    return none_if_missing(owner_run(greenlet_from(object)));
}

PyObject *
inspect_is_dead(PyObject *self, PyObject *object)
{
    (void)self;
    if (type_require(object) < 0) {
        return NULL;
    }
    return PyBool_FromLong(greenlet_is_dead(greenlet_from(object)));
}

PyObject *
inspect_exchange_trace(PyObject *self, PyObject *args)
{
    PyObject *object, *callback;
    PyObject *expected = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO|O:_exchange_trace", &object, &callback,
                          &expected)
        || type_require(object) < 0)
    {
        return NULL;
    }
    return owner_exchange_trace(greenlet_from(object), callback, expected);
}

PyObject *
inspect_exchange_trace_of_new_threads(PyObject *self, PyObject *callback)
{
    (void)self;
    struct module_state *module = module_state();
    return module != NULL
               ? owner_exchange_trace_of_new_threads(module, callback)
               : NULL;
}
