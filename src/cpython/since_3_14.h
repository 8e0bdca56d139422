/* What is the same in every CPython from 3.14 on.  Included by the version
   files, once they have defined tstate_outermost_frame, what the chain of
   frames of a thread ends in: NULL or a frame that is the thread's.

   Per thread the interpreter keeps, and a greenlet takes along: the current
   frame, the recursion counter, the data stack, the exception being handled,
   the context and the machine code being executed, if any.  The counter travels
   as a depth, so that a new recursion limit counts for parked greenlets too.  C
   recursion is limited by the stack pointer, which is the thread's.

   Left to the thread: the data stack's spare chunk; delete_later, a list of
   objects that anybody may deallocate; critical_section, which is always 0 with
   a GIL; tracing and profiling functions; the exception being raised, since a
   switch either has none or hands it over.

   The interpreter frees machine code that is out of use as soon as no thread
   state names it; so a parked greenlet holds a reference.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#ifndef GREENLET_CPYTHON_SINCE_3_14_H
#define GREENLET_CPYTHON_SINCE_3_14_H

#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"

#include "core/compiler.h"

#include "datastack.h"

static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    return frame->owner >= FRAME_OWNED_BY_INTERPRETER;
}

#include "frames.h"

struct interpreter_state {
    struct _PyInterpreterFrame *visible; /* the current frame; NULL while
                                            running, or if there is none */
    struct datastack datastack;
    _PyErr_StackItem *exc_info;
    PyObject *context;          /* owned; NULL while running */
    PyObject *current_executor; /* owned; NULL while running */
    int python_depth;
    unsigned tools_version;             /* see instrumentation.h */
    struct _PyInterpreterFrame *sealed; /* see frames.h */
    /* Not moved by a switch: */
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

static inline PyCodeObject *
frame_code(struct _PyInterpreterFrame *frame)
{
    return _PyFrame_GetCode(frame);
}

#include "stackref_slots.h"

static inline void
frame_clear_callable(struct _PyInterpreterFrame *frame)
{
    slot_clear(&frame->f_funcobj);
    slot_clear(&frame->f_executable);
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    int result = slot_visit(frame->f_funcobj, visit, arg);
    return result != 0 ? result : slot_visit(frame->f_executable, visit, arg);
}

static inline unsigned
tstate_tools_version(const PyThreadState *tstate)
{
    return (unsigned)tstate->eval_breaker & ~(unsigned)_PY_EVAL_EVENTS_MASK;
}

#include "instrumentation.h"

#include "since_3_11.h"
#include "since_3_12.h"
#include "stack_home.h"

static inline PyThreadState *
tstate_current(void)
{
    return PyThreadState_GetUnchecked();
}

/* Whoever runs code in a subinterpreter makes one. */
static inline bool
tstate_is_shared(const PyThreadState *tstate)
{
    (void)tstate;
    return false;
}

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->current_frame = tstate_outermost_frame(tstate);
    tstate->current_executor = NULL;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, tstate);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    struct _PyInterpreterFrame *end = tstate_outermost_frame(tstate);
    struct _PyInterpreterFrame *frame = tstate->current_frame;
    state->visible = frame != end ? frame : NULL;
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth
        = tstate->py_recursion_limit - tstate->py_recursion_remaining;
    state->current_executor = Py_XNewRef(tstate->current_executor);
    state->tools_version = tstate_tools_version(tstate);
    datastack_save(&state->datastack, tstate);
}

/* What is lent is the frame that the thread's chain ends in.  Returns the link to
   it, if there is such an end. */
static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    struct _PyInterpreterFrame *end
        = tstate != NULL ? tstate_outermost_frame(tstate) : NULL;
    if (state->sealed == NULL) {
        state->sealed = frames_seal(&state->visible, end);
    }
    if (tstate != NULL) {
        tstate->current_frame = state->visible != NULL ? state->visible : end;
    }
    return end != NULL && state->sealed != NULL ? state->sealed->f_globals
                                                : NULL;
}

static OUT_OF_LINE void
executor_give_back(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->current_executor = state->current_executor;
    Py_CLEAR(state->current_executor);
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    frames_unseal(&state->sealed);
    struct _PyInterpreterFrame *frame = state->visible;
    tstate->current_frame
        = frame != NULL ? frame : tstate_outermost_frame(tstate);
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    state->visible = NULL;
    tstate_context_changed(tstate);
    tstate->py_recursion_remaining
        = tstate->py_recursion_limit - state->python_depth;
    tstate->current_executor = NULL;
    if (!LIKELY(state->current_executor == NULL)) {
        executor_give_back(state, tstate);
    }
    datastack_load(&state->datastack, tstate);
    if (state->tools_version != tstate_tools_version(tstate)) {
        frames_instrument(frame, tstate);
    }
}

static inline void
state_settle(void *lent)
{
    struct _PyInterpreterFrame **link = lent;
    if (link != NULL) {
        *link = NULL;
    }
}

static inline void
state_leave(struct interpreter_state *state, PyThreadState *tstate,
            struct chunk_pool *pool)
{
    datastack_save(&state->datastack, tstate);
    datastack_free(&state->datastack, pool);
    state->context = tstate->context;
    state->visible = NULL;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->visible == NULL) {
        return NULL;
    }
    struct _PyInterpreterFrame *running = tstate->current_frame;
    tstate->current_frame = state->visible;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);
    tstate->current_frame = running;
    return frame;
}

static inline int
state_visit(struct interpreter_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->context);
    Py_VISIT(state->current_executor);
    Py_VISIT(state->exc_state.exc_value);
    return frames_visit(state->visible, visit, arg);
}

static inline void
state_clear(struct interpreter_state *state)
{
    state->sealed = NULL;
    Py_CLEAR(state->context);
    Py_CLEAR(state->current_executor);
    Py_CLEAR(state->exc_state.exc_value);
}

static inline int
object_prepare_calls(PyObject **dict)
{
    (void)dict;
    return 0;
}

static inline bool
interpreter_finalizing(void)
{
    return Py_IsFinalizing() != 0;
}

#endif
