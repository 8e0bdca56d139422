/* needs: nothing.

   What a free-threaded CPython needs, where the threads of an interpreter run at the same
   time; see tstate.h for what is defined here, and no_free_threads.h.

   Between two points where the interpreter looks for requests nothing stops a thread,
   and when the world is stopped each thread is at such a point.  A switch has none of
   them from the moment that it leaves a greenlet until the next greenlet is whole: so
   whoever stops the world, the collector too, finds each greenlet either running or
   parked.

   Per thread such an interpreter also keeps, and a greenlet takes along: the critical
   sections that C code has entered, and references that the collector finds on the C
   stack.  Both are lists through structs on that stack.  Critical sections are suspended
   while a greenlet is parked, as they are when a thread waits.  What the references refer to
   is held by the parked greenlet. */

#ifndef GREENLET_CPYTHON_PART_FREE_THREADS_H
#define GREENLET_CPYTHON_PART_FREE_THREADS_H

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>

#include "internal/pycore_critical_section.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_lock.h"
#include "internal/pycore_tstate.h"

#include "core/compiler.h"

#include "deferred_slots.h"

#define FREE_THREADED 1

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

static inline bool
tstate_lives(uint64_t number)
{
    PyThreadState *tstate
        = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (tstate != NULL && PyThreadState_GetID(tstate) != number) {
        tstate = PyThreadState_Next(tstate);
    }
    return tstate != NULL;
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
lock_leave(struct lock *lock)
{
    PyMutex_Unlock(&lock->mutex);
}

struct mutex {
    PyMutex mutex;
};

static inline void
mutex_lock(struct mutex *mutex)
{
    PyMutex_Lock(&mutex->mutex);
}

static inline void
mutex_unlock(struct mutex *mutex)
{
    PyMutex_Unlock(&mutex->mutex);
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

/* What lists on the C stack a suspended greenlet has; zeros if none. */
struct stack_lists {
    uintptr_t critical_sections;
    struct _PyCStackRef *references;
    struct held held; /* see state_hold */
};

/* Where the running interpreter keeps the list of references: behind PyThreadState,
   which patch releases make longer. */
static inline struct _PyCStackRef **
tstate_references(PyThreadState *tstate)
{
    size_t behind
        = offsetof(_PyThreadStateImpl, c_stack_refs) - sizeof(PyThreadState);
    char *end = (char *)tstate + _PyRuntime.debug_offsets.thread_state.size;
    return (struct _PyCStackRef **)(void *)(end + behind);
}

static OUT_OF_LINE void
stack_lists_hold(struct stack_lists *lists)
{
    struct _PyCStackRef *reference = lists->references;
    for (; reference != NULL; reference = reference->next) {
        if (slot_hold(reference->ref, &lists->held) < 0) {
            slot_make_strong(&reference->ref);
        }
    }
}

static inline void
stack_lists_suspend(struct stack_lists *lists, PyThreadState *tstate)
{
    if (!LIKELY(tstate->critical_section == 0)) {
        _PyCriticalSection_SuspendAll(tstate);
    }
    lists->critical_sections = tstate->critical_section;
    tstate->critical_section = 0;
    struct _PyCStackRef **references = tstate_references(tstate);
    lists->references = *references;
    if (!LIKELY(lists->references == NULL)) {
        stack_lists_hold(lists);
        *references = NULL;
    }
}

/* Last of all that resumes a greenlet: it may wait for another thread, and the world may
   be stopped meanwhile. */
static inline void
stack_lists_resume(const struct stack_lists *lists, PyThreadState *tstate)
{
    *tstate_references(tstate) = lists->references;
    tstate->critical_section = lists->critical_sections;
    if (!LIKELY(tstate->critical_section == 0)) {
        _PyCriticalSection_Resume(tstate);
    }
}

#define MODULE_THREADS_SLOT {Py_mod_gil, Py_MOD_GIL_NOT_USED},

#endif
