/* CPython 3.11.

   Per thread it keeps, and a greenlet takes along: the cframe, a record on
   the C stack that leads to the current frame; the recursion counter, as a
   depth, so that a new recursion limit counts for parked greenlets too; the
   nesting of the deallocator; the data stack; the exception being handled and
   the context.

   A greenlet that begins gets a cframe of its own, in its interpreter_state.
   The cframe also says whether the thread is being traced.  That belongs to
   the thread and is carried from origin to target, by way of the thread
   state's own root_cframe, which is unused until the thread ends.

   Frames never lie on the C stack.

   Left to the thread: the deallocator's list of objects, that anybody may
   deallocate; tracing and profiling functions; the exception being raised,
   since a switch either has none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"

#include "datastack.h"

struct interpreter_state {
    _PyCFrame *cframe;                   /* on the C stack */
    struct _PyInterpreterFrame *visible; /* innermost; NULL if running */
    struct datastack datastack;
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int trash_nesting;
    /* Not moved by a switch: */
    _PyCFrame root_cframe;      /* the first one */
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

static inline PyCodeObject *
frame_code(struct _PyInterpreterFrame *frame)
{
    return frame->f_code;
}

static inline void
frame_clear_callable(struct _PyInterpreterFrame *frame)
{
    Py_CLEAR(frame->f_func);
    Py_CLEAR(frame->f_code);
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    Py_VISIT(frame->f_func);
    Py_VISIT(frame->f_code);
    return 0;
}

/* No frame is on the C stack. */
static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    (void)frame;
    return false;
}

#include "object_slots.h"

#include "no_extra_data.h"
#include "no_own_gil.h"
#include "no_stack_home.h"
#include "shared_tstate.h"
#include "since_3_11.h"

static inline PyThreadState *
tstate_current(void)
{
    return _PyThreadState_GET();
}

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.use_tracing = tstate->root_cframe.use_tracing;
    state->root_cframe.current_frame = NULL;
    state->root_cframe.previous = &tstate->root_cframe;
    tstate->cframe = &state->root_cframe;
    tstate->trash_delete_nesting = 0;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, tstate);
}

/* A signal handler that dumps stacks may come at any moment of a switch: let it
   find the frames by a record that is not on the C stack. */
static inline void
cframe_leave_stack(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.current_frame = state->visible;
    tstate->cframe = &state->root_cframe;
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
    state->cframe = tstate->cframe;
    state->visible = tstate->cframe->current_frame;
    cframe_leave_stack(state, tstate);
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth = tstate->recursion_limit - tstate->recursion_remaining;
    state->trash_nesting = tstate->trash_delete_nesting;
    datastack_save(&state->datastack, tstate);
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.current_frame = NULL;
    tstate->cframe = state->cframe;
    tstate->cframe->use_tracing = tstate->root_cframe.use_tracing;
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    state->visible = NULL;
    tstate_context_changed(tstate);
    tstate->recursion_remaining = tstate->recursion_limit - state->python_depth;
    tstate->trash_delete_nesting = state->trash_nesting;
    datastack_load(&state->datastack, tstate);
}

static inline void
state_settle(void *lent)
{
    (void)lent;
}

static inline void
state_leave(struct interpreter_state *state, PyThreadState *tstate,
            struct chunk_pool *pool)
{
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
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
    /* Nobody may see the thread with frames that are not its own: no
       collection now. */
    int collect = PyGC_Disable();
    struct _PyInterpreterFrame *running = tstate->cframe->current_frame;
    tstate->cframe->current_frame = state->visible;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);
    tstate->cframe->current_frame = running;
    if (collect) {
        PyGC_Enable();
    }
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
    Py_CLEAR(state->context);
    Py_CLEAR(state->exc_state.exc_value);
}

/* 3.11 specializes a method call only for objects whose dict exists. */
static inline int
object_prepare_calls(PyObject **dict)
{
    if (*dict == NULL) {
        *dict = PyDict_New();
    }
    return *dict == NULL ? -1 : 0;
}

static inline void
tools_install(void)
{
}

static inline bool
interpreter_finalizing(void)
{
    return _Py_IsFinalizing() != 0;
}

#define TSTATE_HAS_TRASH_NESTING 1

static inline PyObject *
tstate_trash_nesting(PyThreadState *tstate)
{
    return PyLong_FromLong(tstate->trash_delete_nesting);
}
