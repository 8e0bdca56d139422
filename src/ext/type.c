/* The type greenlet.greenlet: creation and attributes.

   The type is static, because CPython refuses a static type, as extensions compiled by
   Cython have them, that derives from a heap type.  It belongs to the main interpreter
   and to those that share its GIL.  Its dict, its bases' orders and its subclasses
   would not be safe with another GIL: an interpreter that has its own makes a heap type
   that is the same to Python code.  Instances of a heap type hold a reference to it,
   and so do instances of its subclasses, for which the functions of a heap type have to
   visit and release that reference as well. */

#include "type.h"

#include <stddef.h>
#include <structmember.h>

#include "core/compiler.h"
#include "create.h"
#include "docs.h"
#include "entrances.h"
#include "hooks.h"
#include "life.h"
#include "owner.h"
#include "spares.h"
#include "threads.h"
#include "tree.h"

static_assert(sizeof(PyGreenlet) == sizeof(PyObject) + 3 * sizeof(void *),
              "compiled extensions put their fields behind three words");

bool
type_is_of(const PyObject *object)
{
    return Py_TYPE(object)->tp_dealloc == life_dealloc
           || life_base(object) != NULL;
}

int
type_require(PyObject *object)
{
    if (!type_is_of(object)) {
        PyErr_Format(PyExc_TypeError,
                     "GreenletChecker: Expected any type of greenlet, not %s",
                     Py_TYPE(object)->tp_name);
        return -1;
    }
    return 0;
}

/* Creation */

/* A greenlet that has just been made becomes a child of the running one. */
static ALWAYS_INLINE PyGreenlet *
adopt(struct thread *thread, PyGreenlet *self)
{
    struct greenlet *parent = thread_running(thread);
    parent->has_children = true;
    Py_INCREF(parent->object);
    greenlet_of(self)->parent = parent->object;
    tree_remember_thread(greenlet_of(self), thread);
    return self;
}

static NOT_INLINED PyGreenlet *
make_child_anew(struct thread *thread, PyTypeObject *type)
{
    PyGreenlet *self = create_object(type, thread->module);
    if (self != NULL) {
        adopt(thread, self);
        hooks_report_creation(thread, self);
    }
    return self;
}

/* A new greenlet of a class, a child of the running greenlet. */
static ALWAYS_INLINE PyGreenlet *
make_child(struct thread *thread, PyTypeObject *type)
{
    return thread->spares != NULL && type == thread->module->spared_type
               ? adopt(thread, spares_take(thread))
               : make_child_anew(thread, type);
}

static inline PyObject *
type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    struct thread *thread = threads_enter();
    return thread != NULL ? (PyObject *)make_child(thread, type) : NULL;
}

static int set_run(PyObject *self, PyObject *run, void *unused);

/* What __init__ does; either may be NULL. */
static int
initialize(PyObject *self, PyObject *run, PyObject *parent)
{
    if (run != NULL && set_run(self, run, NULL) < 0) {
        return -1;
    }
    if (parent != NULL && parent != Py_None) {
        return type_set_parent((PyGreenlet *)self, parent);
    }
    return 0;
}

static int
type_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"run", "parent", NULL};
    PyObject *run = NULL;
    PyObject *parent = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:green", names, &run,
                                     &parent))
    {
        return -1;
    }
    return initialize(self, run, parent);
}

/* What __init__ does, to a greenlet that nobody else knows: `self`, or NULL with an exception
   and `self` let go of.  `plain` is the type of no subclass; `run` and `parent` may be NULL. */
static ALWAYS_INLINE PyGreenlet *
initialize_new(PyGreenlet *self, PyTypeObject *plain, PyObject *run,
               PyObject *parent)
{
    if (run != NULL && Py_IS_TYPE(self, plain)) {
        greenlet_set_new_run(greenlet_of(self), run);
        run = NULL;
    }
    if ((run != NULL || parent != NULL)
        && initialize((PyObject *)self, run, parent) < 0)
    {
        Py_CLEAR(self);
    }
    return self;
}

PyGreenlet *
type_call(PyObject *run, PyGreenlet *parent)
{
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyTypeObject *plain = thread->module->type;
    PyGreenlet *self = make_child(thread, plain);
    return self != NULL ? initialize_new(self, plain, run, (PyObject *)parent)
                        : NULL;
}

/* What is unusual goes the way of type.__call__. */
static NOT_INLINED PyObject *
call_with_tuple(PyObject *type, PyObject *const *args, Py_ssize_t count,
                PyObject *keywords)
{
    struct message message;
    if (message_collect(&message, args, count, keywords) < 0) {
        return NULL;
    }
    PyObject *self = type_new((PyTypeObject *)type, NULL, NULL);
    if (self != NULL
        && type_init(self, message_positional(&message),
                     message_keywords(&message))
               < 0)
    {
        Py_CLEAR(self);
    }
    Py_DECREF(message.args);
    return self;
}

/* greenlet(...) without a tuple of arguments. */
static PyObject *
type_vectorcall(PyObject *type, PyObject *const *args, size_t flagged_count,
                PyObject *keywords)
{
    Py_ssize_t count = PyVectorcall_NARGS(flagged_count);
    if (keywords != NULL || count > 2) {
        return call_with_tuple(type, args, count, keywords);
    }
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyGreenlet *self = make_child(thread, (PyTypeObject *)type);
    if (self != NULL && count > 0) {
        self = initialize_new(self, thread->module->type, args[0],
                              count > 1 ? args[1] : NULL);
    }
    return (PyObject *)self;
}

/* Attributes */

static int
greenlet_bool(PyObject *self)
{
    return greenlet_is_alive(greenlet_from(self));
}

static PyObject *
get_dead(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(greenlet_is_dead(greenlet_from(self)));
}

static PyObject *
get_dict(PyObject *self, void *unused)
{
    (void)unused;
    return PyObject_GenericGetDict(self, NULL);
}

static int
set_dict(PyObject *self, PyObject *dict, void *unused)
{
    (void)unused;
    if (dict == NULL) {
        PyErr_SetString(PyExc_TypeError, "__dict__ may not be deleted");
        return -1;
    }
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "__dict__ must be a dictionary");
        return -1;
    }
    return PyObject_GenericSetDict(self, dict, NULL);
}

/* Main greenlets have no run; -1 with an exception for them. */
static int
require_run(const struct greenlet *greenlet)
{
    if (greenlet_is_main(greenlet)) {
        PyErr_SetString(PyExc_AttributeError,
                        "Main greenlets do not have a run attribute.");
        return -1;
    }
    return 0;
}

static PyObject *
get_run(PyObject *self, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    if (require_run(greenlet) < 0) {
        return NULL;
    }
    PyObject *run = greenlet_state(greenlet) == SLICE_UNSTARTED
                        ? owner_run(greenlet)
                        : NULL;
    if (run == NULL) {
        PyErr_SetString(PyExc_AttributeError, "run");
    }
    return run;
}

static int
set_run(PyObject *self, PyObject *run, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    if (require_run(greenlet) < 0) {
        return -1;
    }
    if (owner_set_run(greenlet, run) < 0) {
        PyErr_SetString(PyExc_AttributeError,
                        "run cannot be set after the start of the greenlet");
        return -1;
    }
    return 0;
}

static PyObject *
get_parent(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *parent = owner_parent(greenlet_from(self));
    return parent != NULL ? parent : Py_NewRef(Py_None);
}

int
type_set_parent(PyGreenlet *self, PyObject *parent)
{
    struct greenlet *greenlet = greenlet_of(self);
    if (parent == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete attribute");
        return -1;
    }
    if (greenlet_is_main(greenlet)) {
        PyErr_SetString(PyExc_AttributeError,
                        "cannot set the parent of a main greenlet");
        return -1;
    }
    if (type_require(parent) < 0) {
        return -1;
    }
    return tree_set_parent(greenlet, greenlet_from(parent));
}

static int
set_parent(PyObject *self, PyObject *parent, void *unused)
{
    (void)unused;
    return type_set_parent((PyGreenlet *)self, parent);
}

static PyObject *
get_frame(PyObject *self, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    PyObject *frame = owner_parked_frame(greenlet);
    if (frame == NULL && !PyErr_Occurred()) {
        return Py_NewRef(Py_None);
    }
    return frame;
}

/* ValueError about a context that another thread is using. */
static void
refuse_context(const char *verb)
{
    PyErr_Format(PyExc_ValueError,
                 "cannot %s context of a greenlet that is running in a "
                 "different thread",
                 verb);
}

static PyObject *
get_context(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *context = owner_context(greenlet_from(self));
    if (context == NULL) {
        refuse_context("get");
    }
    return context;
}

static int
set_context(PyObject *self, PyObject *context, void *unused)
{
    (void)unused;
    if (context == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete context attribute");
        return -1;
    }
    if (context != Py_None && !PyContext_CheckExact(context)) {
        PyErr_SetString(PyExc_TypeError,
                        "greenlet context must be a contextvars.Context or "
                        "None");
        return -1;
    }
    if (owner_set_context(greenlet_from(self),
                          context == Py_None ? NULL : context)
        < 0)
    {
        refuse_context("set");
        return -1;
    }
    return 0;
}

static PyObject *
get_stack_saved(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(owner_stack_kept(greenlet_from(self)));
}

static PyObject *
refuse_state(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyErr_Format(PyExc_TypeError, "cannot serialize '%s' object",
                 Py_TYPE(self)->tp_name);
    return NULL;
}

static PyObject *
greenlet_repr(PyObject *self)
{
    const struct greenlet *greenlet = greenlet_from(self);
    const char *name = Py_TYPE(self)->tp_name;
    if (greenlet_state(greenlet) == SLICE_UNSTARTED) {
        return PyUnicode_FromFormat("<%s object at %p (otid=%p) pending>", name,
                                    self, NULL);
    }
    const void *owner = owner_tstate(greenlet);
    if (!greenlet_is_alive(greenlet)) {
        return PyUnicode_FromFormat("<%s object at %p (otid=%p)%s dead>", name,
                                    self, owner,
                                    owner == NULL ? " (thread exited)" : "");
    }
    bool current = greenlet_is_running(greenlet) && owner == tstate_current();
    return PyUnicode_FromFormat("<%s object at %p (otid=%p) %s active "
                                "started%s>",
                                name, self, owner,
                                current ? "current" : "suspended",
                                greenlet_is_main(greenlet) ? " main" : "");
}

/* The type */

static PyMethodDef methods[] = {
    {"switch", (PyCFunction)(void (*)(void))entrance_switch_method,
     METH_FASTCALL | METH_KEYWORDS, DOC_SWITCH},
    {"throw", (PyCFunction)(void (*)(void))entrance_throw_method,
     METH_FASTCALL | METH_KEYWORDS, DOC_THROW},
    {"__getstate__", refuse_state, METH_NOARGS, DOC_GETSTATE},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"__dict__", get_dict, set_dict, NULL, NULL},
    {"run", get_run, set_run, DOC_RUN, NULL},
    {"parent", get_parent, set_parent, DOC_PARENT, NULL},
    {"gr_frame", get_frame, NULL, DOC_GR_FRAME, NULL},
    {"gr_context", get_context, set_context, DOC_GR_CONTEXT, NULL},
    {"dead", get_dead, NULL, DOC_DEAD, NULL},
    {"_stack_saved", get_stack_saved, NULL, DOC_STACK_SAVED, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyNumberMethods as_number = {
    .nb_bool = greenlet_bool,
};

/* What the static type says and the heap type, too; TYPE_FLAGS apart. */
#define TYPE_SLOTS(SLOT)                                                       \
    SLOT(doc, DOC_GREENLET)                                                    \
    SLOT(new, type_new)                                                        \
    SLOT(init, type_init)                                                      \
    SLOT(alloc, PyType_GenericAlloc)                                           \
    SLOT(free, PyObject_GC_Del)                                                \
    SLOT(finalize, life_finalize)                                              \
    SLOT(dealloc, life_dealloc)                                                \
    SLOT(traverse, life_traverse)                                              \
    SLOT(clear, life_clear)                                                    \
    SLOT(repr, greenlet_repr)                                                  \
    SLOT(methods, methods)                                                     \
    SLOT(getset, attributes)

#define TYPE_NAME "greenlet.greenlet"
#define TYPE_FLAGS                                                             \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC)

#define FIELD(name, value) .tp_##name = (value),
#define SPEC(name, value) {Py_tp_##name, (void *)(value)},

static PyTypeObject greenlet_type = {
    PyVarObject_HEAD_INIT(NULL, 0) TYPE_SLOTS(FIELD).tp_name = TYPE_NAME,
    .tp_basicsize = sizeof(PyGreenlet),
    .tp_flags = TYPE_FLAGS,
    .tp_weaklistoffset = offsetof(PyGreenlet, weakreflist),
    .tp_dictoffset = offsetof(PyGreenlet, dict),
    .tp_vectorcall = type_vectorcall,
    .tp_as_number = &as_number,
};

static PyType_Slot heap_type_slots[] = {
    {Py_nb_bool, (void *)greenlet_bool},
    TYPE_SLOTS(SPEC){0, NULL},
};

static PyType_Spec heap_type_spec = {
    .name = TYPE_NAME,
    .basicsize = sizeof(PyGreenlet),
    .flags = TYPE_FLAGS | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = heap_type_slots,
};

static PyTypeObject *
new_heap_type(void)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&heap_type_spec);
    if (type != NULL) {
        /* The specification could only say these with members that Python code sees,
           or in new versions. */
        type->tp_weaklistoffset = greenlet_type.tp_weaklistoffset;
        type->tp_dictoffset = greenlet_type.tp_dictoffset;
        type->tp_vectorcall = greenlet_type.tp_vectorcall;
    }
    return type;
}

PyTypeObject *
type_ready(void)
{
    if (interpreter_runs_apart()) {
        return new_heap_type();
    }
    if (PyType_Ready(&greenlet_type) < 0) {
        return NULL;
    }
    return (PyTypeObject *)Py_NewRef(&greenlet_type);
}
