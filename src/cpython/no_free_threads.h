/* With a GIL one thread of an interpreter runs at a time, and goes on until it lets
   another one; see tstate.h, and part_free_threads.h. */

#ifndef GREENLET_CPYTHON_NO_FREE_THREADS_H
#define GREENLET_CPYTHON_NO_FREE_THREADS_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_gc.h"

#define FREE_THREADED 0

#define RELAXED_LOAD(place) (place)
#define SHARED_LOAD(place) (place)
#define SHARED_STORE(place, value) ((void)((place) = (value)))
#define SHARED_ADD(place, number) ((place) += (number))

static inline void
world_stop(void)
{
}

static inline void
world_start(void)
{
}

static inline bool
tstate_is_clearing(const PyThreadState *tstate)
{
    (void)tstate;
    return false;
}

struct lock {
    char unused;
};

static inline void
lock_take(struct lock *lock)
{
    (void)lock;
}

static inline void
lock_take_at_rest(struct lock *lock)
{
    (void)lock;
}

static inline void
lock_leave(struct lock *lock)
{
    (void)lock;
}

static inline bool
object_is_unshared(const PyObject *object)
{
    return Py_REFCNT(object) == 1;
}

static inline void
object_track(PyObject *object)
{
    PyObject_GC_Track(object);
}

static inline void
object_untrack(PyObject *object)
{
    PyObject_GC_UnTrack(object);
}

static inline void
object_rearm_finalizer(PyObject *object)
{
    _Py_AS_GC(object)->_gc_prev &= ~(uintptr_t)_PyGC_PREV_MASK_FINALIZED;
}

static inline void
object_renew_finalizer(PyObject *object)
{
    object_rearm_finalizer(object);
}

static inline bool
object_is_finalized(PyObject *object)
{
    return PyObject_GC_IsFinalized(object);
}

static inline void
object_resurrect(PyObject *object)
{
    Py_SET_REFCNT(object, 1);
}

static inline bool
object_lives_on(PyObject *object)
{
    Py_ssize_t references = Py_REFCNT(object) - 1;
    Py_SET_REFCNT(object, references);
    return references > 0;
}

static inline bool
object_is_found(PyObject *object)
{
    (void)object;
    return false;
}

#define MODULE_THREADS_SLOT

#endif
