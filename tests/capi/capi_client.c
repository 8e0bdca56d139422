/* An extension module as a user of greenlet would write it, in C.
 *
 * It calls every function of the interface with whatever a test hands it: the
 * object `NULL` of this module stands for a C NULL, and nothing is checked on
 * the way in.  Coming out, each wrapper insists on the one rule that holds for
 * all of CPython: failure and a set exception go together.
 *
 * The subclasses of greenlet.greenlet are in capi_subclass.c, and threads that
 * Python did not create in capi_thread.c.
 */

#include "capi_client.h"
#include "capi_hooks.h"
#include "capi_thread.h"

#include <stdlib.h>

static PyObject *null_object; /* the module's NULL */

static PyObject *
pointer(PyObject *argument)
{
    return argument == null_object ? NULL : argument;
}

static PyGreenlet *
greenlet_pointer(PyObject *argument)
{
    return (PyGreenlet *)pointer(argument);
}

static PyObject *
object_result(PyObject *result)
{
    if (result != NULL && PyErr_Occurred()) {
        Py_DECREF(result);
        PyErr_Clear();
        PyErr_SetString(PyExc_AssertionError, "a result and an exception");
        return NULL;
    }
    if (result == NULL && !PyErr_Occurred()) {
        Py_INCREF(null_object);
        return null_object;
    }
    return result;
}

static PyObject *
int_result(int result)
{
    if ((result == -1) != (PyErr_Occurred() != NULL)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AssertionError,
                     "%d is the wrong result with or without an exception",
                     result);
        return NULL;
    }
    return result == -1 ? NULL : PyLong_FromLong(result);
}

/* The interface, entry by entry */

static PyObject *
client_objects(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("OOO", &PyGreenlet_Type, PyExc_GreenletError,
                         PyExc_GreenletExit);
}

static PyObject *
client_table(PyObject *self, PyObject *capsule)
{
    void **table;
    PyObject *addresses;
    int i;

    (void)self;
    table = (void **)PyCapsule_GetPointer(capsule, "greenlet._C_API");
    if (table == NULL) {
        return NULL;
    }
    if (table != _PyGreenlet_API) {
        PyErr_SetString(PyExc_AssertionError, "a table of another kind");
        return NULL;
    }
    addresses = PyTuple_New(PyGreenlet_API_pointers);
    if (addresses == NULL) {
        return NULL;
    }
    for (i = 0; i < PyGreenlet_API_pointers; i++) {
        PyObject *address = PyLong_FromVoidPtr(table[i]);
        if (address == NULL) {
            Py_DECREF(addresses);
            return NULL;
        }
        PyTuple_SET_ITEM(addresses, i, address);
    }
    return addresses;
}

static PyObject *
client_check(PyObject *self, PyObject *object)
{
    (void)self;
    return PyBool_FromLong(PyGreenlet_Check(pointer(object)));
}

static PyObject *
client_new(PyObject *self, PyObject *args)
{
    PyObject *run, *parent;

    (void)self;
    if (!PyArg_ParseTuple(args, "OO", &run, &parent)) {
        return NULL;
    }
    return object_result(
        (PyObject *)PyGreenlet_New(pointer(run), greenlet_pointer(parent)));
}

static PyObject *
client_get_current(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return object_result((PyObject *)PyGreenlet_GetCurrent());
}

static PyObject *
client_throw(PyObject *self, PyObject *args)
{
    PyObject *target, *type, *value, *traceback;

    (void)self;
    if (!PyArg_ParseTuple(args, "OOOO", &target, &type, &value, &traceback)) {
        return NULL;
    }
    return object_result(PyGreenlet_Throw(greenlet_pointer(target),
                                          pointer(type), pointer(value),
                                          pointer(traceback)));
}

static PyObject *
client_switch(PyObject *self, PyObject *args)
{
    PyObject *target, *positional, *keywords;

    (void)self;
    if (!PyArg_ParseTuple(args, "OOO", &target, &positional, &keywords)) {
        return NULL;
    }
    return object_result(PyGreenlet_Switch(
        greenlet_pointer(target), pointer(positional), pointer(keywords)));
}

static PyObject *
client_set_parent(PyObject *self, PyObject *args)
{
    PyObject *child, *parent;

    (void)self;
    if (!PyArg_ParseTuple(args, "OO", &child, &parent)) {
        return NULL;
    }
    return int_result(PyGreenlet_SetParent(greenlet_pointer(child),
                                           greenlet_pointer(parent)));
}

static PyObject *
client_get_parent(PyObject *self, PyObject *object)
{
    (void)self;
    return object_result(
        (PyObject *)PyGreenlet_GET_PARENT(greenlet_pointer(object)));
}

static PyObject *
client_main(PyObject *self, PyObject *object)
{
    (void)self;
    return int_result(PyGreenlet_MAIN(greenlet_pointer(object)));
}

static PyObject *
client_started(PyObject *self, PyObject *object)
{
    (void)self;
    return int_result(PyGreenlet_STARTED(greenlet_pointer(object)));
}

static PyObject *
client_active(PyObject *self, PyObject *object)
{
    (void)self;
    return int_result(PyGreenlet_ACTIVE(greenlet_pointer(object)));
}

/* C code that has something on its stack while others run */

/* A greenlet's run without any Python frame: hands 0, 1, ... limit - 1 to the
 * parent, and returns the sum of what came back. */
static PyObject *
client_count(PyObject *self, PyObject *args)
{
    int limit, number, sum = 0;
    PyGreenlet *current, *parent;

    (void)self;
    if (!PyArg_ParseTuple(args, "i", &limit)) {
        return NULL;
    }
    current = PyGreenlet_GetCurrent();
    if (current == NULL) {
        return NULL;
    }
    parent = PyGreenlet_GET_PARENT(current);
    Py_DECREF(current);
    if (parent == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the main greenlet cannot count");
        return NULL;
    }
    for (number = 0; number < limit; number++) {
        PyObject *sent, *received;

        sent = Py_BuildValue("(i)", number);
        if (sent == NULL) {
            break;
        }
        received = PyGreenlet_Switch(parent, sent, NULL);
        Py_DECREF(sent);
        if (received == NULL) {
            break;
        }
        sum += (int)PyLong_AsLong(received);
        Py_DECREF(received);
        if (PyErr_Occurred()) {
            break;
        }
    }
    Py_DECREF(parent);
    return number == limit ? PyLong_FromLong(sum) : NULL;
}

/* Calls `callback` below `depth` C frames, each filled with a pattern of its
 * own that must be whole when the call returns. */
static PyObject *
call_below(PyObject *callback, int depth)
{
    volatile unsigned char pattern[200];
    PyObject *result;
    size_t i;

    for (i = 0; i < sizeof(pattern); i++) {
        pattern[i] = (unsigned char)(depth * 31 + (int)i);
    }
    result = depth > 0 ? call_below(callback, depth - 1)
                       : PyObject_CallNoArgs(callback);
    for (i = 0; i < sizeof(pattern); i++) {
        if (pattern[i] != (unsigned char)(depth * 31 + (int)i)) {
            Py_FatalError("a C frame was damaged while others ran");
        }
    }
    return result;
}

static PyObject *
client_call_below(PyObject *self, PyObject *args)
{
    PyObject *callback;
    int depth;

    (void)self;
    if (!PyArg_ParseTuple(args, "Oi", &callback, &depth)) {
        return NULL;
    }
    return call_below(callback, depth);
}

/* qsort has no argument for its comparator.  Several greenlets may be in the
 * middle of a sort, so the elements carry the callback. */
struct element {
    PyObject *callback;
    long number;
};

static int
element_compare(const void *left, const void *right)
{
    const struct element *a = (const struct element *)left;
    const struct element *b = (const struct element *)right;
    PyObject *answer;
    long order;

    if (PyErr_Occurred()) {
        return 0; /* qsort cannot be stopped: let it run out */
    }
    answer = PyObject_CallFunction(a->callback, "ll", a->number, b->number);
    if (answer == NULL) {
        return 0;
    }
    order = PyLong_AsLong(answer);
    Py_DECREF(answer);
    return (order > 0) - (order < 0);
}

/* Sorts the ints of a list through libc, `callback(a, b)` comparing: a switch
 * in there parks frames of a library that never heard of greenlets. */
static PyObject *
client_sort(PyObject *self, PyObject *args)
{
    PyObject *list, *callback;
    struct element *elements;
    Py_ssize_t size, i;

    (void)self;
    if (!PyArg_ParseTuple(args, "O!O", &PyList_Type, &list, &callback)) {
        return NULL;
    }
    size = PyList_GET_SIZE(list);
    elements = (struct element *)PyMem_Malloc((size_t)(size + 1)
                                              * sizeof(*elements));
    if (elements == NULL) {
        return PyErr_NoMemory();
    }
    for (i = 0; i < size; i++) {
        elements[i].callback = callback;
        elements[i].number = PyLong_AsLong(PyList_GET_ITEM(list, i));
    }
    if (!PyErr_Occurred()) {
        qsort(elements, (size_t)size, sizeof(*elements), element_compare);
    }
    list = PyErr_Occurred() ? NULL : PyList_New(size);
    for (i = 0; list != NULL && i < size; i++) {
        PyObject *number = PyLong_FromLong(elements[i].number);
        if (number == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, number);
    }
    PyMem_Free(elements);
    return list;
}

/* The layout of the struct, as this compiler sees it */

static PyObject *
client_layout(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("{s:n,s:n,s:n,s:n}", "size",
                         (Py_ssize_t)sizeof(PyGreenlet), "weakreflist",
                         (Py_ssize_t)offsetof(PyGreenlet, weakreflist), "dict",
                         (Py_ssize_t)offsetof(PyGreenlet, dict), "pimpl",
                         (Py_ssize_t)offsetof(PyGreenlet, pimpl));
}

/* What the type says in C; the Python attributes are derived from it. */
static PyObject *
client_type_layout(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue(
        "{s:n,s:n,s:n,s:n,s:k}", "size", PyGreenlet_Type.tp_basicsize, "item",
        PyGreenlet_Type.tp_itemsize, "weakreflist",
        PyGreenlet_Type.tp_weaklistoffset, "dict",
        PyGreenlet_Type.tp_dictoffset, "flags", PyGreenlet_Type.tp_flags);
}

static PyMethodDef client_methods[] = {
    {"objects", client_objects, METH_NOARGS, NULL},
    {"table", client_table, METH_O, NULL},
    {"check", client_check, METH_O, NULL},
    {"new", client_new, METH_VARARGS, NULL},
    {"get_current", client_get_current, METH_NOARGS, NULL},
    {"throw", client_throw, METH_VARARGS, NULL},
    {"switch", client_switch, METH_VARARGS, NULL},
    {"set_parent", client_set_parent, METH_VARARGS, NULL},
    {"get_parent", client_get_parent, METH_O, NULL},
    {"main", client_main, METH_O, NULL},
    {"started", client_started, METH_O, NULL},
    {"active", client_active, METH_O, NULL},
    {"count", client_count, METH_VARARGS, NULL},
    {"call_below", client_call_below, METH_VARARGS, NULL},
    {"sort", client_sort, METH_VARARGS, NULL},
    {"layout", client_layout, METH_NOARGS, NULL},
    {"type_layout", client_type_layout, METH_NOARGS, NULL},
    {"visit", thread_visit, METH_VARARGS, NULL},
    {"table_size", hooks_size, METH_NOARGS, NULL},
    {"add_hook", hooks_add, METH_VARARGS, NULL},
    {"add_nothing", hooks_add_nothing, METH_VARARGS, NULL},
    {"remove_hook", hooks_remove, METH_O, NULL},
    {"counted", hooks_counted, METH_O, NULL},
    {"released", hooks_released, METH_O, NULL},
    {"walk", hooks_walk, METH_VARARGS, NULL},
    {"frame", hooks_frame, METH_O, NULL},
    {"thread", hooks_thread, METH_O, NULL},
    {"serial", hooks_serial, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef client_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "capi_client",
    .m_size = -1,
    .m_methods = client_methods,
};

PyMODINIT_FUNC PyInit_capi_client(void);

PyMODINIT_FUNC
PyInit_capi_client(void)
{
    PyObject *module;

    PyGreenlet_Import();
    if (_PyGreenlet_API == NULL) {
        return NULL;
    }
    module = PyModule_Create(&client_module);
    if (module == NULL) {
        return NULL;
    }
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    null_object = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (null_object == NULL
        || PyModule_AddObjectRef(module, "NULL", null_object) < 0
        || subclass_add_types(module) < 0)
    {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
