/* needs: part_stack_lists.h or no_stack_lists.h,
   datastack.h, struct interpreter_state.

   CPython 3.11 and 3.12: a record on the C stack, the cframe, leads to the
   current frame. */

#ifndef GREENLET_CPYTHON_PART_CFRAME_H
#define GREENLET_CPYTHON_PART_CFRAME_H

static inline struct _PyInterpreterFrame *
tstate_frame(const PyThreadState *tstate)
{
    return tstate->cframe->current_frame;
}

/* A signal handler that dumps stacks may come at any moment of a switch: let it
   find the frames by a record that is not on the C stack. */
static inline void
cframe_leave_stack(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.current_frame = state->visible;
    tstate->cframe = &state->root_cframe;
}

#endif
