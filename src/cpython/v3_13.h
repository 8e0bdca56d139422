/* CPython 3.13.

   Per thread it keeps, and a greenlet takes along: the current frame, both
   recursion counters, the data stack, the exception being handled and the
   context.  The Python counter travels as a depth, so that a new recursion
   limit counts for parked greenlets too; the C counter has a fixed limit.

   Left to the thread: delete_later, a list of objects that anybody may
   deallocate; critical_section, which is always 0 with a GIL; tracing and
   profiling functions; the exception being raised, since a switch either has
   none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_ceval.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"

#include "datastack.h"

static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_CSTACK;
}

#include "frames.h"

struct interpreter_state {
    struct _PyInterpreterFrame *visible; /* the current frame; NULL while
                                            running, or if there is none */
    struct datastack datastack;
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int c_remaining;
    unsigned tools_version;             /* see instrumentation.h */
    struct _PyInterpreterFrame *sealed; /* see frames.h */
    /* Not moved by a switch: */
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

static inline PyCodeObject *
frame_code(struct _PyInterpreterFrame *frame)
{
    return (PyCodeObject *)frame->f_executable;
}

static inline void
frame_clear_callable(struct _PyInterpreterFrame *frame)
{
    Py_CLEAR(frame->f_funcobj);
    Py_CLEAR(frame->f_executable);
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    Py_VISIT(frame->f_funcobj);
    Py_VISIT(frame->f_executable);
    return 0;
}

#include "object_slots.h"

static inline unsigned
tstate_tools_version(const PyThreadState *tstate)
{
    return (unsigned)tstate->eval_breaker & ~(unsigned)_PY_EVAL_EVENTS_MASK;
}

#include "instrument_by_event.h"

#include "instrumentation.h"

#include "since_3_11.h"
#include "since_3_12.h"
#include "no_stack_home.h"

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
    tstate->current_frame = NULL;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, tstate);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    state->visible = tstate->current_frame;
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth
        = tstate->py_recursion_limit - tstate->py_recursion_remaining;
    state->c_remaining = tstate->c_recursion_remaining;
    state->tools_version = tstate_tools_version(tstate);
    datastack_save(&state->datastack, tstate);
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    frames_unseal(&state->sealed);
    tstate->current_frame = state->visible;
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    state->visible = NULL;
    tstate_context_changed(tstate);
    tstate->py_recursion_remaining
        = tstate->py_recursion_limit - state->python_depth;
    tstate->c_recursion_remaining = state->c_remaining;
    datastack_load(&state->datastack, tstate);
    if (state->tools_version != tstate_tools_version(tstate)) {
        frames_instrument(tstate->current_frame, tstate);
    }
}

static inline void
state_settle(void *lent)
{
    (void)lent;
}

static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->sealed == NULL) {
        state->sealed = frames_seal(&state->visible, NULL);
    }
    if (tstate != NULL) {
        tstate->current_frame = state->visible;
    }
    return NULL;
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
    Py_VISIT(state->exc_state.exc_value);
    return frames_visit(state->visible, visit, arg);
}

static inline void
state_clear(struct interpreter_state *state)
{
    state->sealed = NULL;
    Py_CLEAR(state->context);
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
