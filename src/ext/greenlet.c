/* The type greenlet.greenlet: creation, attributes, garbage collection.

   The type is static, because CPython refuses a static type, as extensions compiled by
   Cython have them, that derives from a heap type.  It belongs to the main interpreter
   and to those that share its GIL.  Its dict, its bases' orders and its subclasses
   would not be safe with another GIL: an interpreter that has its own makes a heap type
   that is the same to Python code.  Instances of a heap type hold a reference to it,
   and so do those of its subclasses, for which a heap type is to do that as well.

   What happens when the last reference to a parked greenlet goes is in
   greenlet_finalize: its thread kills it, now or later.  Only one that can
   never run again is abandoned, its frames released without being run. */

#include "core/compiler.h"
#include "object.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <structmember.h>

#include "docs.h"
#include "module.h"
#include "switch.h"
#include "thread.h"

static_assert(sizeof(PyGreenlet) == 5 * sizeof(void *),
              "compiled extensions put their fields behind five words");

static struct greenlet *
greenlet_from(PyObject *self)
{
    return greenlet_of((PyGreenlet *)self);
}

bool
greenlet_is_alive(const struct greenlet *greenlet)
{
    return greenlet->slice.state == SLICE_ACTIVE
           && greenlet->thread->tstate != NULL;
}

bool
greenlet_is_dead(const struct greenlet *greenlet)
{
    return greenlet->slice.state != SLICE_UNSTARTED
           && !greenlet_is_alive(greenlet);
}

bool
greenlet_is_running(const struct greenlet *greenlet)
{
    return greenlet_is_alive(greenlet)
           && greenlet == thread_running(greenlet->thread);
}

static void greenlet_dealloc(PyObject *self);

/* The first of a greenlet's classes that is deallocated here: the type, or an
   extension's that does not deallocate by itself.  NULL if `object` is no greenlet. */
static PyTypeObject *
greenlet_base(const PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && type->tp_dealloc != greenlet_dealloc) {
        type = type->tp_base;
    }
    return type;
}

bool
greenlet_check(const PyObject *object)
{
    return greenlet_base(object) != NULL;
}

/* Is a greenlet's reference to its class for the functions here to release and to
   visit?  Where the type is static, those of Python's subclasses do that. */
static bool
has_heap_base(const PyObject *self)
{
    return PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)
           && PyType_HasFeature(greenlet_base(self), Py_TPFLAGS_HEAPTYPE);
}

/* How often unstarted greenlets, with all those below them, may have come to
   another thread.  It stops at the end, and then nothing is remembered.  One for all
   interpreters, like the count below: what others do only makes it less exact. */
static _Atomic(uint32_t) thread_moves;

static uint32_t
thread_moves_now(void)
{
    return atomic_load_explicit(&thread_moves, memory_order_relaxed);
}

static void
forget_threads(void)
{
    uint32_t moves = thread_moves_now();
    while (moves < UINT32_MAX
           && !atomic_compare_exchange_weak_explicit(
               &thread_moves, &moves, moves + 1, memory_order_relaxed,
               memory_order_relaxed))
    {}
}

static bool
remembers_thread(const struct greenlet *greenlet)
{
    return greenlet->found_thread != NULL
           && greenlet->found_when == thread_moves_now()
           && greenlet->found_when != UINT32_MAX;
}

/* Remembered, so that a long chain of unstarted parents is not walked time and
   again.  The record remembered is alive: the main greenlet at the end of the
   chain has a reference to it. */
struct thread *
greenlet_thread(struct greenlet *greenlet)
{
    struct greenlet *known = greenlet;
    while (known->thread == NULL && !remembers_thread(known)) {
        if (known->parent == NULL) {
            return NULL;
        }
        known = greenlet_of(known->parent);
    }
    struct thread *thread
        = known->thread != NULL ? known->thread : known->found_thread;
    for (; greenlet != known; greenlet = greenlet_of(greenlet->parent)) {
        greenlet->found_thread = thread;
        greenlet->found_when = thread_moves_now();
    }
    return thread;
}

bool
greenlet_descends_from(const struct greenlet *greenlet,
                       const struct greenlet *ancestor)
{
    while (greenlet != ancestor && greenlet->parent != NULL) {
        greenlet = greenlet_of(greenlet->parent);
    }
    return greenlet == ancestor;
}

static _Atomic(size_t) parent_swaps;

PyGreenlet *
greenlet_swap_parent(struct greenlet *greenlet, PyGreenlet *parent)
{
    PyGreenlet *previous = greenlet->parent;
    greenlet_of(parent)->has_children = true;
    greenlet->parent = parent;
    atomic_fetch_add_explicit(&parent_swaps, 1, memory_order_relaxed);
    return previous;
}

size_t
greenlet_parent_swaps(void)
{
    return atomic_load_explicit(&parent_swaps, memory_order_relaxed);
}

/* Creation */

/* `zeros` are room for a struct greenlet. */
static struct greenlet *
attach(PyGreenlet *object, void *zeros)
{
    struct greenlet *greenlet = zeros;
    slice_init(&greenlet->slice);
    greenlet->object = object;
    object->pimpl = greenlet;
    return greenlet;
}

/* May what hangs off an object of this type be right behind it? */
static bool
has_room_behind(const PyTypeObject *type)
{
    return type->tp_alloc == PyType_GenericAlloc
           && type->tp_free == PyObject_GC_Del
           && (size_t)type->tp_basicsize % alignof(struct greenlet) == 0;
}

/* In one piece: half the time and less memory. */
static PyGreenlet *
allocate_whole(PyTypeObject *type)
{
    PyObject *self = object_new_with_room(type, sizeof(struct greenlet));
    if (self != NULL) {
        attach((PyGreenlet *)self, (char *)self + type->tp_basicsize);
        PyObject_GC_Track(self);
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

static PyGreenlet *
allocate(PyTypeObject *type, const struct module_state *module)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT)) {
        /* This words the refusal. */
        return (PyGreenlet *)PyBaseObject_Type.tp_new(
            type, module->no_arguments, NULL);
    }
    return has_room_behind(type) ? allocate_whole(type) : allocate_apart(type);
}

/* Spares: greenlets that were deallocated, kept for the next of their thread
   with all that was allocated for them, but without a reference to their type.
   Only such as are of no subclass, and no main greenlets, whose state is not
   cleared. */

#define SPARES_LIMIT 64

static HOT PyGreenlet *
spare_take(struct thread *thread)
{
    struct greenlet *greenlet = thread->spares;
    PyGreenlet *self = greenlet->object;
    thread->spares = greenlet->doomed_next;
    thread->spares_count--;
    slice_init(&greenlet->slice);
    greenlet->thread = NULL;
    greenlet->found_thread = NULL;
    greenlet->has_children = false;
    greenlet->is_killed = false;
    greenlet->is_told_to_end = false;
    PyObject_Init((PyObject *)self, Py_TYPE(self));
    object_rearm_finalizer((PyObject *)self);
    PyObject_GC_Track(self);
    return self;
}

/* Whether the deallocated `object` is a spare now. */
static HOT bool
spare_keep(PyGreenlet *object)
{
    struct thread *thread = thread_last_used();
    struct greenlet *greenlet = greenlet_of(object);
    if (thread == NULL || !Py_IS_TYPE(object, thread->module->type)
        || greenlet->is_main || thread->spares_count >= SPARES_LIMIT)
    {
        return false;
    }
    greenlet->doomed_next = thread->spares;
    thread->spares = greenlet;
    thread->spares_count++;
    return true;
}

void
greenlet_free_spares(struct thread *thread)
{
    while (thread->spares != NULL) {
        struct greenlet *greenlet = thread->spares;
        thread->spares = greenlet->doomed_next;
        void *apart = greenlet->is_apart ? greenlet : NULL;
        PyObject_GC_Del(greenlet->object);
        PyMem_Free(apart);
    }
}

PyGreenlet *
greenlet_new_main(struct thread *thread)
{
    PyGreenlet *self = allocate(thread->module->type, thread->module);
    if (self != NULL && object_prepare_calls(&self->dict) < 0) {
        Py_CLEAR(self);
    }
    if (self != NULL) {
        struct greenlet *greenlet = greenlet_of(self);
        greenlet->is_main = true;
        thread_retain(thread);
        greenlet->thread = thread;
    }
    return self;
}

static PyObject *
type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    struct thread *thread = thread_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyGreenlet *self = thread->spares != NULL && type == thread->module->type
                           ? spare_take(thread)
                           : allocate(type, thread->module);
    if (self != NULL) {
        struct greenlet *parent = thread_running(thread);
        parent->has_children = true;
        Py_INCREF(parent->object);
        greenlet_of(self)->parent = parent->object;
    }
    return (PyObject *)self;
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
        return greenlet_set_parent((PyGreenlet *)self, parent);
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

PyGreenlet *
greenlet_new(PyObject *run, PyGreenlet *parent)
{
    const struct thread *thread = thread_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyObject *self = type_new(thread->module->type, NULL, NULL);
    if (self != NULL && initialize(self, run, (PyObject *)parent) < 0) {
        Py_CLEAR(self);
    }
    return (PyGreenlet *)self;
}

PyGreenlet *
greenlet_getcurrent(void)
{
    if (interpreter_finalizing()) {
        PyErr_SetString(PyExc_RuntimeError, "greenlet is being finalized");
        return NULL;
    }
    struct thread *thread = thread_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyGreenlet *current = thread_running(thread)->object;
    Py_INCREF(current);
    return current;
}

/* greenlet(...) without a tuple of arguments.  What is unusual goes the way of
   type.__call__. */
static PyObject *
type_vectorcall(PyObject *type, PyObject *const *args, size_t flagged_count,
                PyObject *keywords)
{
    Py_ssize_t count = PyVectorcall_NARGS(flagged_count);
    if (keywords == NULL && count <= 2) {
        PyObject *self = type_new((PyTypeObject *)type, NULL, NULL);
        if (self != NULL
            && initialize(self, count > 0 ? args[0] : NULL,
                          count > 1 ? args[1] : NULL)
                   < 0)
        {
            Py_CLEAR(self);
        }
        return self;
    }
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

/* The end */

void
greenlet_abandon(struct greenlet *greenlet)
{
    struct thread *thread = greenlet->thread;
    if (thread->tstate != NULL) {
        slice_drop(&thread->stack, &greenlet->slice);
        state_abandon(&greenlet->interpreter, &thread->chunks);
        thread_note_end(thread, greenlet);
    }
    else {
        /* The shared stack is gone, and with it the chain of slices. */
        slice_die(&greenlet->slice);
        state_abandon(&greenlet->interpreter, NULL);
    }
    /* Only now: its frames may have been linked by what is on it. */
    slice_release(&greenlet->slice);
}

static void greenlet_finalize(PyObject *self);

/* Subclasses with a __del__ have another finalizer, which is called once only,
   and need not call ours. */
static bool
has_our_finalizer(PyObject *self)
{
    return Py_TYPE(self)->tp_finalize == greenlet_finalize;
}

/* Nobody can reach a parked greenlet any more: it is to be killed.  If that is
   not possible here and now, it gets a new reference and waits. */
static void
greenlet_finalize(PyObject *self)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (greenlet == NULL || !greenlet_is_alive(greenlet) || greenlet->is_main
        || interpreter_finalizing())
    {
        return;
    }
    PyThreadState *tstate = tstate_current();
    if (greenlet->thread->tstate != tstate || tstate_collecting(tstate)
        || !thread_is_native(greenlet->thread))
    {
        thread_doom(greenlet->thread, greenlet);
    }
    else {
        switch_kill(greenlet, greenlet->thread->module->vanished_reason);
        if (greenlet_is_alive(greenlet)) {
            thread_refused(greenlet->thread, greenlet);
        }
    }
    if (has_our_finalizer(self)) {
        object_rearm_finalizer(self);
    }
}

/* For subclasses whose finalizer or deallocator did not call ours, at the very
   end of their deallocation: as PyObject_CallFinalizerFromDealloc, which will
   not call it twice.  Returns true if the object lives on. */
static bool
finalize_late(PyObject *self)
{
    Py_SET_REFCNT(self, 1);
    greenlet_finalize(self);
    Py_ssize_t references = Py_REFCNT(self) - 1;
    Py_SET_REFCNT(self, references);
    if (references == 0) {
        return false;
    }
    /* Python's deallocator goes on to release the type, if that is not for us. */
    if (PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)
        && !has_heap_base(self))
    {
        Py_INCREF(Py_TYPE(self));
    }
    return true;
}

/* Consumes a reference.  Parents that end with it, a long chain perhaps, end one
   after the other and not one inside the other. */
static void
release_parent(PyGreenlet *parent)
{
    while (parent != NULL && Py_REFCNT(parent) == 1
           && has_our_finalizer((PyObject *)parent))
    {
        greenlet_finalize((PyObject *)parent);
        struct greenlet *greenlet = greenlet_of(parent);
        if (Py_REFCNT(parent) > 1 || greenlet_is_alive(greenlet)) {
            break;
        }
        PyGreenlet *grandparent = greenlet->parent;
        greenlet->parent = NULL;
        Py_DECREF(parent);
        parent = grandparent;
    }
    Py_XDECREF(parent);
}

static void
release(struct greenlet *greenlet)
{
    PyGreenlet *parent = greenlet->parent;
    PyObject *run = greenlet->run;
    PyObject *args = greenlet->args;
    greenlet->parent = NULL;
    greenlet->run = NULL;
    greenlet->args = NULL;
    state_clear(&greenlet->interpreter);
    Py_XDECREF(run);
    Py_XDECREF(args);
    release_parent(parent);
}

static HOT void
greenlet_dealloc(PyObject *self)
{
    PyGreenlet *object = (PyGreenlet *)self;
    struct greenlet *greenlet = greenlet_of(object);
    bool finalizer_is_idle
        = has_our_finalizer(self)
          && (greenlet == NULL || !greenlet_is_alive(greenlet));
    if (!finalizer_is_idle && Py_TYPE(self)->tp_dealloc == greenlet_dealloc
        && PyObject_CallFinalizerFromDealloc(self) < 0)
    {
        return;
    }
    if (greenlet != NULL && greenlet_is_alive(greenlet) && !greenlet->is_main
        && !interpreter_finalizing() && finalize_late(self))
    {
        return;
    }
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, greenlet_dealloc) if (object->weakreflist != NULL)
    {
        PyObject_ClearWeakRefs(self);
    }
    Py_CLEAR(object->dict);
    if (greenlet != NULL) {
        if (greenlet->slice.state == SLICE_ACTIVE && !greenlet->is_main) {
            greenlet_abandon(greenlet);
        }
        release(greenlet);
        slice_release(&greenlet->slice);
        if (greenlet->thread != NULL) {
            thread_release(greenlet->thread);
        }
    }
    PyTypeObject *owned_type = has_heap_base(self) ? Py_TYPE(self) : NULL;
    if (greenlet == NULL || !spare_keep(object)) {
        object->pimpl = NULL;
        if (greenlet != NULL && greenlet->is_apart) {
            PyMem_Free(greenlet);
        }
        Py_TYPE(self)->tp_free(self);
    }
    Py_XDECREF(owned_type);
    Py_TRASHCAN_END
}

static int
greenlet_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (greenlet == NULL) {
        return 0;
    }
    if (greenlet_is_alive(greenlet)
        && (!has_our_finalizer(self) || PyObject_GC_IsFinalized(self)))
    {
        /* The collector would not tell us before it tears what the greenlet
           still needs to run.  So all of that looks reachable.  (Finalised it
           was before it started, and something brought it back.) */
        return 0;
    }
    if (has_heap_base(self)) {
        Py_VISIT(Py_TYPE(self));
    }
    Py_VISIT(((PyGreenlet *)self)->dict);
    Py_VISIT(greenlet->parent);
    Py_VISIT(greenlet->run);
    Py_VISIT(greenlet->args);
    return state_visit(&greenlet->interpreter, visit, arg);
}

/* Never tears a greenlet that can still run.  One that can not is abandoned;
   one that should have been killed, but whose subclass has a finalizer of its
   own, is doomed. */
static int
greenlet_clear(PyObject *self)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (greenlet_is_alive(greenlet)) {
        if (!greenlet->is_main) {
            greenlet_finalize(self);
        }
        return 0;
    }
    Py_CLEAR(((PyGreenlet *)self)->dict);
    if (greenlet->slice.state == SLICE_ACTIVE && !greenlet->is_main) {
        greenlet_abandon(greenlet);
    }
    release(greenlet);
    forget_threads();
    return 0;
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
    Py_XSETREF(((PyGreenlet *)self)->dict, Py_NewRef(dict));
    return 0;
}

/* Main greenlets have no run; -1 with an exception for them. */
static int
require_run(const struct greenlet *greenlet)
{
    if (greenlet->is_main) {
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
    if (greenlet->slice.state != SLICE_UNSTARTED || greenlet->run == NULL) {
        PyErr_SetString(PyExc_AttributeError, "run");
        return NULL;
    }
    return Py_NewRef(greenlet->run);
}

static int
set_run(PyObject *self, PyObject *run, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    if (require_run(greenlet) < 0) {
        return -1;
    }
    if (greenlet->slice.state != SLICE_UNSTARTED) {
        PyErr_SetString(PyExc_AttributeError,
                        "run cannot be set after the start of the greenlet");
        return -1;
    }
    PyObject *previous = greenlet->run;
    greenlet->run = Py_XNewRef(run);
    Py_XDECREF(previous);
    return 0;
}

static PyObject *
get_parent(PyObject *self, void *unused)
{
    (void)unused;
    PyGreenlet *parent = greenlet_from(self)->parent;
    return Py_NewRef(parent != NULL ? (PyObject *)parent : Py_None);
}

int
greenlet_require(PyObject *object)
{
    if (!greenlet_check(object)) {
        PyErr_Format(PyExc_TypeError,
                     "GreenletChecker: Expected any type of greenlet, not %s",
                     Py_TYPE(object)->tp_name);
        return -1;
    }
    return 0;
}

int
greenlet_set_parent(PyGreenlet *self, PyObject *parent)
{
    struct greenlet *greenlet = greenlet_of(self);
    if (greenlet->is_main) {
        PyErr_SetString(PyExc_AttributeError,
                        "cannot set the parent of a main greenlet");
        return -1;
    }
    if (greenlet_require(parent) < 0) {
        return -1;
    }
    bool is_own = parent == (PyObject *)self;
    if (is_own
        || (greenlet->has_children
            && greenlet_descends_from(greenlet_from(parent), greenlet)))
    {
        PyErr_SetString(PyExc_ValueError, "cyclic parent chain");
        return -1;
    }
    struct thread *thread = greenlet_thread(greenlet);
    if (thread != greenlet_thread(greenlet_from(parent))) {
        if (greenlet->thread != NULL) {
            PyErr_SetString(PyExc_ValueError,
                            "parent cannot be on a different thread");
            return -1;
        }
        forget_threads();
    }
    greenlet->is_killed = false;
    Py_XDECREF(greenlet_swap_parent(greenlet, (PyGreenlet *)Py_NewRef(parent)));
    return 0;
}

static int
set_parent(PyObject *self, PyObject *parent, void *unused)
{
    (void)unused;
    if (parent == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete attribute");
        return -1;
    }
    return greenlet_set_parent((PyGreenlet *)self, parent);
}

static PyObject *
get_frame(PyObject *self, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    PyObject *frame = state_frame(&greenlet->interpreter, tstate_current());
    if (frame == NULL && !PyErr_Occurred()) {
        return Py_NewRef(Py_None);
    }
    return frame;
}

/* Where the context is; NULL with a ValueError whose verb is `verb` if it is
   being used by another thread. */
static PyObject **
find_context(struct greenlet *greenlet, const char *verb)
{
    PyThreadState *running = NULL;
    bool lost = greenlet->is_main && greenlet->thread->tstate == NULL;
    if (lost || greenlet_is_running(greenlet)) {
        running = greenlet->thread->tstate;
        if (lost || running != tstate_current()) {
            PyErr_Format(PyExc_ValueError,
                         "cannot %s context of a greenlet that is running in "
                         "a different thread",
                         verb);
            return NULL;
        }
    }
    return state_context(&greenlet->interpreter, running);
}

static PyObject *
get_context(PyObject *self, void *unused)
{
    (void)unused;
    PyObject **place = find_context(greenlet_from(self), "get");
    if (place == NULL) {
        return NULL;
    }
    return Py_NewRef(*place != NULL ? *place : Py_None);
}

static int
set_context(PyObject *self, PyObject *context, void *unused)
{
    (void)unused;
    if (context == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete context attribute");
        return -1;
    }
    if (context == Py_None) {
        context = NULL;
    }
    else if (!PyContext_CheckExact(context)) {
        PyErr_SetString(PyExc_TypeError,
                        "greenlet context must be a contextvars.Context or "
                        "None");
        return -1;
    }
    PyObject **place = find_context(greenlet_from(self), "set");
    if (place == NULL) {
        return -1;
    }
    PyObject *previous = *place;
    *place = Py_XNewRef(context);
    tstate_context_changed(tstate_current());
    Py_XDECREF(previous);
    return 0;
}

static PyObject *
get_stack_saved(PyObject *self, void *unused)
{
    (void)unused;
    struct greenlet *greenlet = greenlet_from(self);
    size_t kept = 0;
    if (greenlet_is_alive(greenlet) && !greenlet_is_running(greenlet)) {
        kept = slice_kept(&greenlet->slice);
    }
    return PyLong_FromSize_t(kept);
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
    if (greenlet->slice.state == SLICE_UNSTARTED) {
        return PyUnicode_FromFormat("<%s object at %p (otid=%p) pending>", name,
                                    self, NULL);
    }
    const void *owner = greenlet->thread->tstate;
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
                                greenlet->is_main ? " main" : "");
}

/* The type */

static PyMethodDef methods[] = {
    {"switch", (PyCFunction)(void (*)(void))switch_method,
     METH_FASTCALL | METH_KEYWORDS, DOC_SWITCH},
    {"throw", (PyCFunction)(void (*)(void))throw_method,
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
    SLOT(finalize, greenlet_finalize)                                          \
    SLOT(dealloc, greenlet_dealloc)                                            \
    SLOT(traverse, greenlet_traverse)                                          \
    SLOT(clear, greenlet_clear)                                                \
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
greenlet_new_type(void)
{
    if (interpreter_has_own_gil()) {
        return new_heap_type();
    }
    if (PyType_Ready(&greenlet_type) < 0) {
        return NULL;
    }
    return (PyTypeObject *)Py_NewRef(&greenlet_type);
}
