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
    struct description description;
    if (owner_describe(greenlet_from(object), &description) < 0) {
        return NULL;
    }
    PyObject *ident = description.ident != 0
                          ? PyLong_FromUnsignedLong(description.ident)
                          : Py_NewRef(Py_None);
    return Py_BuildValue("sNNN", description.state, ident,
                         none_if_missing(description.run),
                         none_if_missing(description.frame));
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
inspect_stack_of(PyObject *self, PyObject *object)
{
    (void)self;
    if (type_require(object) < 0) {
        return NULL;
    }
    return Py_BuildValue("z", owner_stack(greenlet_from(object)));
}

PyObject *
inspect_serial_of(PyObject *self, PyObject *object)
{
    (void)self;
    if (type_require(object) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(owner_serial(greenlet_from(object)));
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
