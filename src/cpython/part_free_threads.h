/* needs: nothing.

   What a free-threaded CPython needs, where the threads of an interpreter run at the same
   time; see tstate.h for what is defined here, and no_free_threads.h.

   Between two points where the interpreter looks for requests nothing stops a thread,
   and when the world is stopped each thread is at such a point.  A switch has none of
   them from the moment that it leaves a greenlet until the next greenlet is whole: so
   whoever stops the world, the collector too, finds each greenlet either running or
   parked.

   Per thread such an interpreter also keeps, and a greenlet takes along, the critical
   sections that C code has entered: a list through structs on the C stack.  They are
   suspended while a greenlet is parked, as they are when a thread waits. */

#ifndef GREENLET_CPYTHON_PART_FREE_THREADS_H
#define GREENLET_CPYTHON_PART_FREE_THREADS_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "internal/pycore_critical_section.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_lock.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"

#include "core/compiler.h"

#define FREE_THREADED 1

#define RELAXED_LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define SHARED_LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define SHARED_STORE(place, value)                                             \
    __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#define SHARED_ADD(place, number)                                              \
    __atomic_add_fetch(&(place), (number), __ATOMIC_ACQ_REL)

static inline void
world_stop(void)
{
    _PyEval_StopTheWorld(PyInterpreterState_Get());
}

static inline void
world_start(void)
{
    _PyEval_StartTheWorld(PyInterpreterState_Get());
}

/* What is queued for a thread by others, since they have dropped it, is deallocated as the
   last thing of all, when its dict and its context have been cleared: nobody clears those
   that are made then. */
static inline bool
tstate_is_clearing(const PyThreadState *tstate)
{
    return tstate->_status.finalizing;
}

struct lock {
    PyMutex mutex;
};

static inline void
lock_take(struct lock *lock)
{
    PyMutex_LockFlags(&lock->mutex, _Py_LOCK_DONT_DETACH);
}

static inline void
lock_take_at_rest(struct lock *lock)
{
    PyMutex_Lock(&lock->mutex);
}

static inline void
lock_leave(struct lock *lock)
{
    PyMutex_Unlock(&lock->mutex);
}

static inline bool
object_is_unshared(const PyObject *object)
{
    return _Py_IsOwnedByCurrentThread((PyObject *)(uintptr_t)object)
           && RELAXED_LOAD(object->ob_ref_local) == 1
           && RELAXED_LOAD(object->ob_ref_shared) == 0;
}

static inline void
object_track(PyObject *object)
{
    _PyObject_GC_TRACK(object);
}

static inline void
object_untrack(PyObject *object)
{
    if (_PyObject_GC_IS_TRACKED(object)) {
        _PyObject_GC_UNTRACK(object);
    }
}

/* PyObject_Init has cleared all of the collector's bits. */
static inline void
object_renew_finalizer(PyObject *object)
{
    assert(!_PyGC_FINALIZED(object));
    (void)object;
}

static inline bool
object_is_finalized(PyObject *object)
{
    return _PyGC_FINALIZED(object);
}

static inline void
object_rearm_finalizer(PyObject *object)
{
    _PyGC_CLEAR_FINALIZED(object);
}

static inline void
object_resurrect(PyObject *object)
{
    _PyObject_ResurrectStart(object);
}

static inline bool
object_lives_on(PyObject *object)
{
    return _PyObject_ResurrectEnd(object) != 0;
}

static inline bool
object_is_found(PyObject *object)
{
    return (object->ob_gc_bits & _PyGC_BITS_UNREACHABLE) != 0;
}

/* Suspend all critical sections of the running greenlet, and return them. */
static inline uintptr_t
tstate_suspend_sections(PyThreadState *tstate)
{
    if (!LIKELY(tstate->critical_section == 0)) {
        _PyCriticalSection_SuspendAll(tstate);
    }
    uintptr_t sections = tstate->critical_section;
    tstate->critical_section = 0;
    return sections;
}

/* Last of all that resumes a greenlet: it may wait for another thread, and the world may
   be stopped meanwhile. */
static inline void
tstate_resume_sections(PyThreadState *tstate, uintptr_t sections)
{
    tstate->critical_section = sections;
    if (!LIKELY(sections == 0)) {
        _PyCriticalSection_Resume(tstate);
    }
}

#define MODULE_THREADS_SLOT {Py_mod_gil, Py_MOD_GIL_NOT_USED},

#endif
