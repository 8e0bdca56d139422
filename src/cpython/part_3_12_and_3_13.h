/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, datastack.h, struct interpreter_state, frame_code,
   frame_clear_callable, frame_give_code, frame_visit_callable, tstate_frame,
   tstate_tools_version.

   What is the same in CPython 3.12 and 3.13, and only there. */

#ifndef GREENLET_CPYTHON_PART_3_12_AND_3_13_H
#define GREENLET_CPYTHON_PART_3_12_AND_3_13_H

#include <Python.h>

#include <stdbool.h>

static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_CSTACK;
}

/* The generator, borrowed, that a frame belongs to. */
static inline PyGenObject *
frame_generator(struct _PyInterpreterFrame *frame)
{
    return _PyFrame_GetGenerator(frame);
}

#include "part_object_slots.h"

#include "part_call_arguments.h"

#include "instrument_by_event.h"

static inline void
tstate_leave_executor(PyThreadState *tstate)
{
    (void)tstate;
}

#include "part_since_3_12.h"

#include "no_stack_home.h"

#define CODE_STEPS                                                             \
    CODE_STEPS_SINCE_3_12, [RETURN_CONST] = STEP_QUIET | STEP_ENDS

#define STATE_LENDS 0

static inline void
state_settle(void *lent)
{
    (void)lent;
}

static inline int
state_visit(struct interpreter_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->context);
    Py_VISIT(state->exc_state.exc_value);
    return state_visit_frames(state, visit, arg);
}

static inline void
state_clear(struct interpreter_state *state)
{
    state->sealed = NULL;
    state->is_nested = false;
    Py_CLEAR(state->context);
    Py_CLEAR(state->exc_state.exc_value);
}

#endif
