/* How a greenlet object ends; see life.h.

   What happens when the last reference to a parked greenlet goes is in life_finalize:
   its thread kills it, now or later.  Only a greenlet that can never run again is released
   (kill.h): its code does not run. */

#include "life.h"

#include "core/compiler.h"
#include "kill.h"
#include "owner.h"
#include "spares.h"
#include "tree.h"

PyTypeObject *
life_base(const PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && type->tp_dealloc != life_dealloc) {
        type = type->tp_base;
    }
    return type;
}

/* Is a greenlet's reference to its class for the functions here to release and to
   visit?  Where the type is static, the functions of Python's subclasses do that. */
static bool
has_heap_base(const PyObject *self)
{
    return PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)
           && PyType_HasFeature(life_base(self), Py_TPFLAGS_HEAPTYPE);
}

/* Subclasses with a __del__ have another finalizer, which is called once only,
   and need not call ours. */
static bool
has_our_finalizer(PyObject *self)
{
    return Py_TYPE(self)->tp_finalize == life_finalize;
}

/* Nobody can reach a parked greenlet any more.  If it cannot be killed here and now, it
   gets a new reference and waits.  The collector holds a reference to a greenlet that it has
   found; to a greenlet that is being deallocated only the caller has a reference.  Without a
   GIL the collector's may be the only one by now, since other finalizers let go of it; then
   too what its frames refer to is garbage, unless it is held. */
void
life_finalize(PyObject *self)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (FREE_THREADED && greenlet != NULL) {
        owner_count_run(greenlet);
    }
    if (greenlet == NULL || !greenlet_is_alive(greenlet)
        || greenlet_is_main(greenlet) || interpreter_finalizing())
    {
        return;
    }
    bool is_found = object_is_found(self) || Py_REFCNT(self) > 1;
    if (is_found || !owner_is_caller(greenlet) || owner_collects(greenlet)) {
        kill_doom(greenlet, is_found);
    }
    else {
        kill_dropped(greenlet);
    }
    if (has_our_finalizer(self)) {
        object_rearm_finalizer(self);
    }
}

/* For subclasses whose finalizer or deallocator did not call ours, at the very
   end of their deallocation: as PyObject_CallFinalizerFromDealloc, which will
   not call it twice.  Returns true if the object lives on; without a GIL others may free
   it and its type by then. */
static bool
finalize_late(PyObject *self)
{
    /* Python's deallocator goes on to release the type, if that is not for us. */
    bool is_released_later
        = PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)
          && !has_heap_base(self);
    PyTypeObject *type = is_released_later ? Py_TYPE(self) : NULL;
    Py_XINCREF(type);
    object_resurrect(self);
    life_finalize(self);
    if (object_lives_on(self)) {
        return true;
    }
    Py_XDECREF(type);
    return false;
}

/* Consumes a reference.  A chain of parents that end with it, which may be long, is ended
   in a loop and not by recursion.  Without a GIL it is left to the trashcan: in another thread
   a weak reference may become a reference at any moment, and find one without a parent. */
static void
release_parent(PyGreenlet *parent)
{
    while (!FREE_THREADED && parent != NULL && Py_REFCNT(parent) == 1
           && has_our_finalizer((PyObject *)parent))
    {
        life_finalize((PyObject *)parent);
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

/* All that a greenlet refers to, which cannot run any more.  May run Python code. */
static ALWAYS_INLINE void
release(struct greenlet *greenlet)
{
    if (greenlet_state(greenlet) == SLICE_ACTIVE && !greenlet_is_main(greenlet))
    {
        kill_release(greenlet);
    }
    PyGreenlet *parent = greenlet->parent;
    greenlet->parent = NULL;
    state_clear(&greenlet->interpreter);
    greenlet_release_call(greenlet);
    release_parent(parent);
}

HOT void
life_dealloc(PyObject *self)
{
    PyGreenlet *object = (PyGreenlet *)self;
    struct greenlet *greenlet = greenlet_of(object);
    bool finalizer_is_idle
        = has_our_finalizer(self)
          && (greenlet == NULL || !greenlet_is_alive(greenlet));
    if (!finalizer_is_idle && Py_TYPE(self)->tp_dealloc == life_dealloc
        && PyObject_CallFinalizerFromDealloc(self) < 0)
    {
        return;
    }
    if (greenlet != NULL && greenlet_is_alive(greenlet)
        && !greenlet_is_main(greenlet) && !interpreter_finalizing()
        && finalize_late(self))
    {
        return;
    }
    object_untrack(self);
    Py_TRASHCAN_BEGIN(self, life_dealloc);
    if (RELAXED_LOAD(object->weakreflist) != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_CLEAR(object->dict);
    struct thread *thread = NULL;
    if (greenlet != NULL) {
        release(greenlet);
        slice_release(&greenlet->slice);
        thread = owner_known(greenlet);
        owner_let_go(greenlet, thread);
    }
    PyTypeObject *owned_type = has_heap_base(self) ? Py_TYPE(self) : NULL;
    if (greenlet == NULL || !spares_keep(thread, object)) {
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
visit_run(struct greenlet *greenlet, visitproc visit, void *arg)
{
    if (!FREE_THREADED || !greenlet->run_is_uncounted) {
        Py_VISIT(greenlet->run);
        return 0;
    }
    int result = object_visit_deferred(greenlet->run, visit, arg);
    if (collector_counts_all()) {
        greenlet_count_run(greenlet);
    }
    return result;
}

int
life_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (greenlet == NULL) {
        return 0;
    }
    if (FREE_THREADED && greenlet_is_main(greenlet)) {
        owner_note_visit(greenlet);
    }
    if (greenlet_is_alive(greenlet) && object_is_opaque(self, life_finalize)) {
        assert(!greenlet->run_is_uncounted);
        return state_visit_uncounted(&greenlet->interpreter, visit, arg);
    }
    if (has_heap_base(self)) {
        Py_VISIT(Py_TYPE(self));
    }
    Py_VISIT(((PyGreenlet *)self)->dict);
    Py_VISIT(greenlet->parent);
    Py_VISIT(greenlet->holds.args);
    int result = visit_run(greenlet, visit, arg);
    return result != 0 ? result
                       : state_visit(&greenlet->interpreter, visit, arg);
}

/* Never tears a greenlet that can still run: if it should have been killed, but its subclass
   has a finalizer of its own, it is doomed. */
int
life_clear(PyObject *self)
{
    struct greenlet *greenlet = greenlet_from(self);
    if (greenlet_is_alive(greenlet)) {
        if (!greenlet_is_main(greenlet)) {
            life_finalize(self);
        }
        return 0;
    }
    Py_CLEAR(((PyGreenlet *)self)->dict);
    release(greenlet);
    tree_forget_threads();
    return 0;
}
