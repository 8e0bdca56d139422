/* Deferred references of frames, in free-threaded builds of CPython.

   References of a frame may be *deferred*: no reference count knows them, since
   the collector finds them on the stacks of threads.  On the stacks of parked greenlets
   it finds them by tp_traverse.  It asks twice, and wants to hear of the deferred ones
   only when it looks for what is alive; it takes the frame of a frame object for such a
   stack.  So they are shown to it as those of a frame object, which is none. */

#ifndef GREENLET_CPYTHON_DEFERRED_SLOTS_H
#define GREENLET_CPYTHON_DEFERRED_SLOTS_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_object_deferred.h"
#include "internal/pycore_stackref.h"

static inline bool
slot_is_deferred(_PyStackRef slot)
{
    return (slot.bits & Py_TAG_REFCNT) != 0 && !PyStackRef_IsNullOrInt(slot);
}

/* Have the reference counted. */
static inline void
slot_make_strong(_PyStackRef *slot)
{
    if (slot_is_deferred(*slot)) {
        *slot = PyStackRef_FromPyObjectSteal(
            Py_NewRef(PyStackRef_AsPyObjectBorrow(*slot)));
    }
}

/* A list that the collector does not see: its owner shows what is in it. */
static inline PyObject *
list_new_hidden(void)
{
    PyObject *list = PyList_New(0);
    if (list != NULL) {
        PyObject_GC_UnTrack(list);
    }
    return list;
}

/* What a greenlet has counted references to, since its frames may have had no more than
   deferred ones.  The collector ends that something is deferred when it finds it: from
   then on the frames, which do not know, rely on what is held here. */
struct held {
    PyObject *list;  /* owned and hidden, or NULL */
    Py_ssize_t kept; /* as many of its first until the greenlet ends */
    bool is_found;   /* the collector has found the greenlet */
};

static inline bool
held_is_kept(const struct held *held, const PyObject *object)
{
    Py_ssize_t i = 0;
    while (i < held->kept && PyList_GET_ITEM(held->list, i) != object) {
        i++;
    }
    return i < held->kept;
}

/* Hold what a deferred reference refers to, if that can die.  -1 without memory, and
   without an exception.  An exception that is set stays set. */
static inline int
slot_hold(_PyStackRef slot, struct held *held)
{
    PyObject *object
        = slot_is_deferred(slot) ? PyStackRef_AsPyObjectBorrow(slot) : NULL;
    if (object == NULL || _Py_IsImmortal(object) || held_is_kept(held, object))
    {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (held->list == NULL) {
        held->list = list_new_hidden();
    }
    int result = held->list != NULL ? PyList_Append(held->list, object) : -1;
    PyErr_SetRaisedException(raised);
    return result;
}

/* The greenlet goes on.  Unless the collector has found it, its frames are looked into
   where they are now, and nothing need be held. */
static inline void
held_let_go(struct held *held, PyObject *greenlet)
{
    held->is_found = held->is_found || PyObject_GC_IsFinalized(greenlet);
    if (held->is_found) {
        held->kept = PyList_GET_SIZE(held->list);
    }
    else {
        Py_CLEAR(held->list);
    }
}

/* The greenlet has ended; another one may come in its place. */
static inline void
held_clear(struct held *held)
{
    held->kept = 0;
    held->is_found = false;
    Py_CLEAR(held->list);
}

/* Show the collector what is in such a list. */
static inline int
list_visit_items(PyObject *list, visitproc visit, void *arg)
{
    for (Py_ssize_t i = list != NULL ? PyList_GET_SIZE(list) : 0; i > 0; i--) {
        Py_VISIT(PyList_GET_ITEM(list, i - 1));
    }
    return 0;
}

/* A frame object that is shown to the collector in place of deferred references. */
#define SHOWN_AT_ONCE 16

struct show {
    PyFrameObject object;
    struct _PyInterpreterFrame frame;
    _PyStackRef more_slots[SHOWN_AT_ONCE - 1];
    visitproc visit;
    void *arg;
};

static inline void
show_begin(struct show *show, visitproc visit, void *arg)
{
    *show = (struct show){
        .object.f_frame = &show->frame,
        .frame.owner = FRAME_OWNED_BY_FRAME_OBJECT,
        .frame.f_executable = PyStackRef_NULL,
        .frame.f_funcobj = PyStackRef_NULL,
        .frame.stackpointer = show->frame.localsplus,
        .visit = visit,
        .arg = arg,
    };
    Py_SET_TYPE(&show->object, &PyFrame_Type);
}

static inline int
show_flush(struct show *show)
{
    int result = PyFrame_Type.tp_traverse((PyObject *)&show->object,
                                          show->visit, show->arg);
    show->frame.stackpointer = show->frame.localsplus;
    return result;
}

/* Takes a reference of a frame; not 0 for the end of the walk. */
typedef int slot_taker(_PyStackRef slot, void *taken);

static inline int
take_to_show(_PyStackRef slot, void *taken)
{
    struct show *show = taken;
    if (!slot_is_deferred(slot)) {
        return 0;
    }
    *show->frame.stackpointer++ = slot;
    return show->frame.stackpointer - show->frame.localsplus == SHOWN_AT_ONCE
               ? show_flush(show)
               : 0;
}

/* Without memory not all is held. */
static inline int
take_to_hold(_PyStackRef slot, void *taken)
{
    (void)slot_hold(slot, taken);
    return 0;
}

static inline int
frame_walk(struct _PyInterpreterFrame *frame, slot_taker *take, void *taken)
{
    int result = take(frame->f_executable, taken);
    if (result == 0) {
        result = take(frame->f_funcobj, taken);
    }
    _PyStackRef *slot = frame->localsplus;
    for (; slot < frame->stackpointer && result == 0; slot++) {
        result = take(*slot, taken);
    }
    return result;
}

/* Have all references of a chain of frames taken; what ends the walk is returned. */
static inline int
frames_walk(struct _PyInterpreterFrame *frame, slot_taker *take, void *taken)
{
    int result = 0;
    for (; frame != NULL && result == 0; frame = frame->previous) {
        if (frame->owner < FRAME_OWNED_BY_INTERPRETER) {
            result = frame_walk(frame, take, taken);
        }
    }
    return result;
}

/* Show the collector the deferred references of a chain of frames. */
static inline int
frames_show_deferred(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    struct show show;
    show_begin(&show, visit, arg);
    int result = frames_walk(frame, take_to_show, &show);
    return result != 0 ? result : show_flush(&show);
}

/* A reference outside of frames need not be counted if the collector alone frees the object. */
static inline bool
object_is_deferred(const PyObject *object)
{
    return _PyObject_HasDeferredRefcount((PyObject *)(uintptr_t)object);
}

static inline int
object_visit_deferred(PyObject *object, visitproc visit, void *arg)
{
    struct show show;
    show_begin(&show, visit, arg);
    (void)take_to_show((_PyStackRef){.bits = (uintptr_t)object | Py_TAG_REFCNT},
                       &show);
    return show_flush(&show);
}

/* At the end of an interpreter the collector lets all objects be freed by their counts. */
static inline bool
collector_counts_all(void)
{
    return _PyInterpreterState_GetFinalizing(PyInterpreterState_Get()) != NULL;
}

/* Hold what the deferred references of a chain of frames refer to.  The references
   themselves stay: of an instruction that is under way the interpreter has copies. */
static inline void
frames_hold(struct _PyInterpreterFrame *frame, struct held *held)
{
    (void)frames_walk(frame, take_to_hold, held);
}

#endif
