/* Making greenlet objects; see create.h. */

#include "create.h"

#include <stdalign.h>

/* `zeros` are room for a struct greenlet. */
static struct greenlet *
attach(PyGreenlet *object, void *zeros)
{
    struct greenlet *greenlet = zeros;
    greenlet_reset(greenlet);
    greenlet->object = object;
    object->pimpl = greenlet;
    return greenlet;
}

/* May the struct greenlet of an object of this type be right behind the object? */
static bool
has_room_behind(const PyTypeObject *type)
{
    return type->tp_alloc == PyType_GenericAlloc
           && type->tp_free == PyObject_GC_Del
           && (size_t)type->tp_basicsize % alignof(struct greenlet) == 0;
}

/* What an object may be larger than necessary, in bytes. */
#define PADDING_MOST 16

/* How many bytes to ask for behind an object of this type.  The interpreter's allocator puts
   blocks of the same size side by side, and those of a multiple of a cache line so that the
   objects begin where a line does: then what a switch needs first comes with the object's
   head, in the same line (object.h).  It would not in a subclass with fields of its own. */
static size_t
room_behind(const PyTypeObject *type)
{
    size_t size
        = OBJECT_HEAD_SIZE + sizeof(PyGreenlet) + sizeof(struct greenlet);
    size_t padding = -size % CACHE_LINE;
    bool pays = padding <= PADDING_MOST
                && (size_t)type->tp_basicsize == sizeof(PyGreenlet);
    return sizeof(struct greenlet) + (pays ? padding : 0);
}

/* Object and struct in one piece: half the time and less memory. */
static PyGreenlet *
allocate_whole(PyTypeObject *type)
{
    PyObject *self = object_new_with_room(type, room_behind(type));
    if (self != NULL) {
        attach((PyGreenlet *)self, (char *)self + type->tp_basicsize);
        object_track(self);
    }
    return (PyGreenlet *)self;
}

static PyGreenlet *
allocate_apart(PyTypeObject *type)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    void *zeros = PyMem_Calloc(1, sizeof(struct greenlet));
    if (zeros == NULL) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    attach((PyGreenlet *)self, zeros)->is_apart = true;
    return (PyGreenlet *)self;
}

PyGreenlet *
create_object(PyTypeObject *type, const struct module_state *module)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT)) {
        /* It raises the TypeError for abstract classes. */
        return (PyGreenlet *)PyBaseObject_Type.tp_new(
            type, module->no_arguments, NULL);
    }
    return has_room_behind(type) ? allocate_whole(type) : allocate_apart(type);
}

PyGreenlet *
create_main(struct thread *thread)
{
    PyGreenlet *self = create_object(thread->module->type, thread->module);
    if (self != NULL && object_prepare_calls(&self->dict) < 0) {
        Py_CLEAR(self);
    }
    if (self != NULL) {
        struct greenlet *greenlet = greenlet_of(self);
        thread_retain(thread);
        greenlet->thread = thread;
    }
    return self;
}
