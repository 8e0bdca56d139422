/* Locals and value stack of a frame, CPython 3.14 and later: tagged references,
   of which some are borrowed from a frame farther out.

   The interpreter notes the height of the value stack before each call that may
   come back to Python, so that of a parked frame everything is known but what
   instruction_slots.h tells. */

#ifndef GREENLET_CPYTHON_STACKREF_SLOTS_H
#define GREENLET_CPYTHON_STACKREF_SLOTS_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_stackref.h"

#include "instruction_slots.h"

typedef _PyStackRef frame_slot;

static inline int
slot_visit(frame_slot slot, visitproc visit, void *arg)
{
    if ((slot.bits & Py_TAG_REFCNT) == 0) {
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

/* How many slots, from the first one on, are known to hold references of the
   frame's own.  `calls_c` says that the frame waits for C code, and not for the
   Python function that the next frame inwards executes; in a sealed chain a
   return_offset of 0 says so. */
static inline int
frame_slot_count(struct _PyInterpreterFrame *frame, bool calls_c)
{
    int count = (int)(frame->stackpointer - frame->localsplus);
    return calls_c || frame->return_offset == 0
               ? count - frame_given_away(frame)
               : count;
}

static inline void
frame_set_slot_count(struct _PyInterpreterFrame *frame, int count)
{
    frame->stackpointer = frame->localsplus + count;
}

/* A generator visits its frame, executing or not. */
static inline bool
frame_slots_are_visited(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR;
}

#endif
