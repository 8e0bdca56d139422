/* needs: struct _PyInterpreterFrame, frame_code.

   Locals and value stack of a frame, CPython 3.11 to 3.13: plain references.

   The height of a value stack is noted when its frame calls a Python function, but
   not when it calls C.  What lies there then looks like references from outside to
   the collector, and is not released; locals and cells are. */

#ifndef GREENLET_CPYTHON_PART_OBJECT_SLOTS_H
#define GREENLET_CPYTHON_PART_OBJECT_SLOTS_H

#include <Python.h>

#include <stdbool.h>

typedef PyObject *frame_slot;

static inline int
slot_visit(frame_slot slot, visitproc visit, void *arg)
{
    Py_VISIT(slot);
    return 0;
}

static inline void
slot_clear(frame_slot *slot)
{
    Py_CLEAR(*slot);
}

/* Make a reference independent of other frames. */
static inline void
slot_own(frame_slot *slot)
{
    (void)slot;
}

/* How many slots, from the first one on, are known to hold references of the
   frame's own. */
static inline int
frame_slot_count(struct _PyInterpreterFrame *frame, bool calls_c)
{
    (void)calls_c;
    return frame->stacktop >= 0 ? frame->stacktop
                                : frame_code(frame)->co_nlocalsplus;
}

static inline void
frame_set_slot_count(struct _PyInterpreterFrame *frame, int count)
{
    frame->stacktop = count;
}

/* A generator visits its frame, but no locals as long as the interpreter has
   the height of the value stack in a register: while the frame executes. */
static inline bool
frame_slots_are_visited(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR && frame->stacktop >= 0;
}

#endif
