/* Locals and value stack of a frame, CPython 3.14 and later: tagged references,
   of which some are borrowed from a frame farther out.

   The interpreter notes the height of the value stack before each call that may
   come back to Python, so that of a parked frame everything is known. */

#ifndef GREENLET_CPYTHON_STACKREF_SLOTS_H
#define GREENLET_CPYTHON_STACKREF_SLOTS_H

#include "internal/pycore_stackref.h"

typedef _PyStackRef frame_slot;

static inline int
slot_visit(frame_slot slot, visitproc visit, void *arg)
{
    if (PyStackRef_RefcountOnObject(slot)) {
        Py_VISIT(PyStackRef_AsPyObjectBorrow(slot));
    }
    return 0;
}

static inline void
slot_clear(frame_slot *slot)
{
    PyStackRef_CLEAR(*slot);
}

/* Make a reference independent of other frames. */
static inline void
slot_own(frame_slot *slot)
{
    *slot = PyStackRef_MakeHeapSafe(*slot);
}

/* How many slots are known to hold what they should. */
static inline int
frame_slot_count(struct _PyInterpreterFrame *frame)
{
    return (int)(frame->stackpointer - frame->localsplus);
}

/* Let the value stack be empty. */
static inline void
frame_end_stack(struct _PyInterpreterFrame *frame)
{
    frame->stackpointer = frame->localsplus + frame_code(frame)->co_nlocalsplus;
}

/* A generator visits its frame, executing or not. */
static inline bool
frame_slots_are_visited(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR;
}

#endif
