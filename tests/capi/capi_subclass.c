/* Subclasses of greenlet.greenlet in C, with fields right after the struct.
 *
 * StaticGreenlet is a static type, the way gevent's compiled wheels have it;
 * PooledGreenlet allocates and frees in a way of its own; UnevenGreenlet has no
 * even size; HeapGreenlet is made from a spec.  All keep a number, an object and a
 * pattern that nobody but them may touch.
 */

#include "capi_client.h"

#include <string.h>

#define PATTERN_SIZE 48
#define PATTERN_BYTE 0xA5

struct tagged {
    PyGreenlet greenlet;
    PyObject *payload;
    long number;
    unsigned char pattern[PATTERN_SIZE];
};

static struct tagged *
tagged_from(PyObject *self)
{
    return (struct tagged *)self;
}

/* One import of the interface for each source file: this one has its own. */
static PyTypeObject *
greenlet_type(void)
{
    if (_PyGreenlet_API == NULL) {
        PyGreenlet_Import();
    }
    return _PyGreenlet_API == NULL ? NULL : &PyGreenlet_Type;
}

static PyObject *
tagged_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = greenlet_type()->tp_new(type, args, kwargs);

    if (self != NULL) {
        Py_INCREF(Py_None);
        tagged_from(self)->payload = Py_None;
        tagged_from(self)->number = -1;
        memset(tagged_from(self)->pattern, PATTERN_BYTE, PATTERN_SIZE);
    }
    return self;
}

static int
tagged_traverse_fields(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(tagged_from(self)->payload);
    return greenlet_type()->tp_traverse(self, visit, arg);
}

static int
tagged_clear(PyObject *self)
{
    Py_CLEAR(tagged_from(self)->payload);
    return greenlet_type()->tp_clear(self);
}

/* Own fields first, then tracked again for the base class, which untracks for
 * itself and may still run Python code: a parked greenlet ends here. */
static void
tagged_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(tagged_from(self)->payload);
    PyObject_GC_Track(self);
    greenlet_type()->tp_dealloc(self);
}

/* As Cython's classes do it: a finaliser that the base class may have runs
 * while the fields are whole, and may bring the object back to life. */
static void
static_dealloc(PyObject *self)
{
    if (Py_TYPE(self)->tp_finalize != NULL && !PyObject_GC_IsFinalized(self)
        && Py_TYPE(self)->tp_dealloc == static_dealloc
        && PyObject_CallFinalizerFromDealloc(self) < 0)
    {
        return;
    }
    tagged_dealloc(self);
}

static PyObject *
tagged_is_intact(PyObject *self, PyObject *unused)
{
    size_t i;

    (void)unused;
    for (i = 0; i < PATTERN_SIZE; i++) {
        if (tagged_from(self)->pattern[i] != PATTERN_BYTE) {
            Py_RETURN_FALSE;
        }
    }
    Py_RETURN_TRUE;
}

static PyObject *
tagged_get_payload(PyObject *self, void *unused)
{
    PyObject *payload = tagged_from(self)->payload;

    (void)unused;
    if (payload == NULL) {
        payload = Py_None; /* cleared by the collector */
    }
    Py_INCREF(payload);
    return payload;
}

static int
tagged_set_payload(PyObject *self, PyObject *value, void *unused)
{
    PyObject *before = tagged_from(self)->payload;

    (void)unused;
    Py_XINCREF(value);
    tagged_from(self)->payload = value;
    Py_XDECREF(before);
    return 0;
}

static PyObject *
tagged_get_number(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(tagged_from(self)->number);
}

static int
tagged_set_number(PyObject *self, PyObject *value, void *unused)
{
    long number;

    (void)unused;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "number cannot be deleted");
        return -1;
    }
    number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    tagged_from(self)->number = number;
    return 0;
}

static PyMethodDef tagged_methods[] = {
    {"is_intact", tagged_is_intact, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef tagged_getset[] = {
    {"payload", tagged_get_payload, tagged_set_payload, NULL, NULL},
    {"number", tagged_get_number, tagged_set_number, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define TAGGED_FLAGS                                                           \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC)

static PyTypeObject static_greenlet_type = {
    /* clang-format off: the macro brings a comma of its own */
    PyVarObject_HEAD_INIT(NULL, 0)
        /* clang-format on */
        .tp_name = "capi_client.StaticGreenlet",
    .tp_basicsize = (Py_ssize_t)sizeof(struct tagged),
    .tp_flags = TAGGED_FLAGS,
    .tp_new = tagged_new,
    .tp_dealloc = static_dealloc,
    .tp_traverse = tagged_traverse_fields,
    .tp_clear = tagged_clear,
    .tp_methods = tagged_methods,
    .tp_getset = tagged_getset,
};

static PyTypeObject pooled_greenlet_type;
static PyTypeObject uneven_greenlet_type;

/* The last one that was freed, if it was no subclass's. */
static PyObject *pooled;

static PyObject *
pooled_alloc(PyTypeObject *type, Py_ssize_t item_count)
{
    PyObject *self = pooled;

    if (self == NULL || type != &pooled_greenlet_type) {
        return PyType_GenericAlloc(type, item_count);
    }
    pooled = NULL;
    memset((char *)self + sizeof *self, 0,
           (size_t)type->tp_basicsize - sizeof *self);
    PyObject_Init(self, type);
    PyObject_GC_Track(self);
    return self;
}

static void
pooled_free(void *self)
{
    if (pooled == NULL && Py_TYPE((PyObject *)self) == &pooled_greenlet_type) {
        pooled = self;
        return;
    }
    PyObject_GC_Del(self);
}

static int
add_static_types(PyObject *module)
{
    static_greenlet_type.tp_base = greenlet_type();
    pooled_greenlet_type = static_greenlet_type;
    pooled_greenlet_type.tp_name = "capi_client.PooledGreenlet";
    pooled_greenlet_type.tp_alloc = pooled_alloc;
    pooled_greenlet_type.tp_free = pooled_free;
    uneven_greenlet_type = static_greenlet_type;
    uneven_greenlet_type.tp_name = "capi_client.UnevenGreenlet";
    uneven_greenlet_type.tp_basicsize += 1;
    if (PyModule_AddType(module, &static_greenlet_type) < 0
        || PyModule_AddType(module, &pooled_greenlet_type) < 0)
    {
        return -1;
    }
    return PyModule_AddType(module, &uneven_greenlet_type);
}

/* A type on the heap is owned by its instances, and the destructor of a static
 * base class leaves that reference alone.  No call of a finaliser here: plain
 * extensions have none, and the base class must cope. */
static void
heap_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    tagged_dealloc(self);
    Py_DECREF(type);
}

static int
heap_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return tagged_traverse_fields(self, visit, arg);
}

static PyType_Slot heap_slots[] = {
    {Py_tp_new, (void *)tagged_new},
    {Py_tp_dealloc, (void *)heap_dealloc},
    {Py_tp_traverse, (void *)heap_traverse},
    {Py_tp_clear, (void *)tagged_clear},
    {Py_tp_methods, tagged_methods},
    {Py_tp_getset, tagged_getset},
    {0, NULL},
};

static PyType_Spec heap_spec = {
    "capi_client.HeapGreenlet",
    (int)sizeof(struct tagged),
    0,
    TAGGED_FLAGS,
    heap_slots,
};

static int
add_heap_type(PyObject *module)
{
    PyObject *type, *bases = PyTuple_Pack(1, greenlet_type());
    int added;

    if (bases == NULL) {
        return -1;
    }
    type = PyType_FromSpecWithBases(&heap_spec, bases);
    Py_DECREF(bases);
    if (type == NULL) {
        return -1;
    }
    added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return added;
}

int
subclass_add_types(PyObject *module)
{
    if (greenlet_type() == NULL) {
        return -1;
    }
    return add_static_types(module) < 0 ? -1 : add_heap_type(module);
}
