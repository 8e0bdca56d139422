/* All references of frames are counted; see tstate.h, and part_since_3_14.h. */

#ifndef GREENLET_CPYTHON_NO_UNCOUNTED_H
#define GREENLET_CPYTHON_NO_UNCOUNTED_H

#include <Python.h>

#include <stdbool.h>

static inline bool
object_is_deferred(const PyObject *object)
{
    (void)object;
    return false;
}

static inline int
object_visit_deferred(PyObject *object, visitproc visit, void *arg)
{
    (void)object;
    (void)visit;
    (void)arg;
    return 0;
}

static inline bool
collector_counts_all(void)
{
    return false;
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

#endif
