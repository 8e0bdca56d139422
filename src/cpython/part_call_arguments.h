/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, datastack.h, struct interpreter_state, frame_code.

   How high the value stack of a parked greenlet's innermost frame is, CPython 3.11 to 3.13;
   see part_object_slots.h.

   The interpreter does not note the height when it calls C.  But where a frame
   has called switch() or throw() itself, their arguments are the topmost values
   on its stack; so where they end is noted at each such call.  If C code has
   called them, their arguments lie elsewhere, or no higher, if they are the C
   code's own. */

#ifndef GREENLET_CPYTHON_PART_CALL_ARGUMENTS_H
#define GREENLET_CPYTHON_PART_CALL_ARGUMENTS_H

#include <Python.h>

#include <stdbool.h>

static inline void
state_note_arguments(struct interpreter_state *state, PyObject *const *end)
{
    state->arguments_end = end;
}

/* Note in the innermost frame its height, if that is known.  True if the frame
   did not say so before; state_hide_stack undoes it. */
static inline bool
state_reveal_stack(const struct interpreter_state *state)
{
    struct _PyInterpreterFrame *frame = state->visible;
    if (frame == NULL || frame->owner != FRAME_OWNED_BY_THREAD
        || frame->stacktop >= 0)
    {
        return false;
    }
    const PyCodeObject *code = frame_code(frame);
    uintptr_t end = (uintptr_t)state->arguments_end;
    uintptr_t base = (uintptr_t)&frame->localsplus[code->co_nlocalsplus];
    size_t room = (size_t)code->co_stacksize * sizeof(PyObject *);
    if (end < base || end - base > room) {
        return false;
    }
    frame->stacktop
        = (int)((end - (uintptr_t)frame->localsplus) / sizeof(PyObject *));
    return true;
}

/* The interpreter must find the frame as it was. */
static inline void
state_hide_stack(const struct interpreter_state *state)
{
    state->visible->stacktop = -1;
}

#endif
