/* With a GIL one thread of an interpreter runs at a time, and goes on until it lets
   another one; see tstate.h, and part_free_threads.h. */

#ifndef GREENLET_CPYTHON_NO_FREE_THREADS_H
#define GREENLET_CPYTHON_NO_FREE_THREADS_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_gc.h"

#define FREE_THREADED 0

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

static inline bool
tstate_lives(uint64_t number)
{
    (void)number;
    return true;
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
lock_leave(struct lock *lock)
{
    (void)lock;
}

struct mutex {
    char unused;
};

static inline void
mutex_lock(struct mutex *mutex)
{
    (void)mutex;
}

static inline void
mutex_unlock(struct mutex *mutex)
{
    (void)mutex;
}

static inline void
object_rearm_finalizer(PyObject *object)
{
    _Py_AS_GC(object)->_gc_prev &= ~(uintptr_t)_PyGC_PREV_MASK_FINALIZED;
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

struct stack_lists {
    char unused;
};

static inline void
stack_lists_suspend(struct stack_lists *lists, PyThreadState *tstate)
{
    (void)lists;
    (void)tstate;
}

static inline void
stack_lists_resume(const struct stack_lists *lists, PyThreadState *tstate)
{
    (void)lists;
    (void)tstate;
}

struct interpreter_state;

static inline void
state_hold(struct interpreter_state *state, const PyThreadState *running)
{
    (void)state;
    (void)running;
}

static inline void
state_hold_found(struct interpreter_state *state, const PyThreadState *running)
{
    (void)state, (void)running;
}

static inline void
state_hold_no_more(struct interpreter_state *state, PyObject *greenlet)
{
    (void)state, (void)greenlet;
}

static inline int
state_visit_uncounted(struct interpreter_state *state, visitproc visit,
                      void *arg)
{
    (void)state;
    (void)visit;
    (void)arg;
    return 0;
}

#define MODULE_THREADS_SLOT

#endif
