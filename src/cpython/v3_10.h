/* CPython 3.10.

   Per thread it keeps, and a greenlet takes along: the current frame, which is
   an object kept alive by the C stack; the recursion depth; the nesting of the
   deallocator; the exception being handled and the context.

   The cframe, a record on the C stack, says whether the thread is being
   traced.  A greenlet that begins gets one of its own, in its
   interpreter_state; what it says belongs to the thread and is carried from
   origin to target, by way of the thread state's own root_cframe, which is
   unused until the thread ends.

   Left to the thread: the deallocator's list of objects, that anybody may
   deallocate; tracing and profiling functions; the exception being raised,
   since a switch either has none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"

#include <frameobject.h>

#include "no_datastack.h"

struct interpreter_state {
    CFrame *cframe;         /* on the C stack */
    PyFrameObject *visible; /* innermost; borrowed; NULL if running */
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int trash_nesting;
    /* Not moved by a switch: */
    CFrame root_cframe;         /* the first one */
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

#include "no_extra_data.h"
#include "no_own_gil.h"
#include "no_stack_home.h"
#include "shared_tstate.h"

static inline PyThreadState *
tstate_current(void)
{
    return _PyThreadState_GET();
}

static inline int
state_prepare(struct interpreter_state *state, struct chunk_pool *pool,
              size_t frames_size)
{
    (void)state;
    (void)pool;
    (void)frames_size;
    return 0;
}

static inline bool
state_outgrown(const struct interpreter_state *state,
               const PyThreadState *tstate)
{
    (void)state;
    (void)tstate;
    return false;
}

static inline size_t
state_parked_frames_size(const struct interpreter_state *state,
                         const PyThreadState *tstate)
{
    (void)state;
    (void)tstate;
    return 0;
}

static inline size_t
state_frames_size(const PyThreadState *tstate)
{
    (void)tstate;
    return 0;
}

static inline void
state_cancel(struct interpreter_state *state, struct chunk_pool *pool)
{
    (void)state;
    (void)pool;
}

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.use_tracing = tstate->root_cframe.use_tracing;
    state->root_cframe.previous = &tstate->root_cframe;
    tstate->cframe = &state->root_cframe;
    tstate->frame = NULL;
    tstate->trash_delete_nesting = 0;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
    state->cframe = tstate->cframe;
    state->visible = tstate->frame;
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth = tstate->recursion_depth;
    state->trash_nesting = tstate->trash_delete_nesting;
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->cframe = state->cframe;
    tstate->cframe->use_tracing = tstate->root_cframe.use_tracing;
    tstate->frame = state->visible;
    state->visible = NULL;
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    tstate->recursion_depth = state->python_depth;
    tstate->trash_delete_nesting = state->trash_nesting;
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
    (void)pool;
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
    state->context = tstate->context;
    state->visible = NULL;
}

/* The reference to each frame that was the C stack's goes; what lies on value
   stacks, whose height is not known during a call, is not released. */
static inline void
state_abandon(struct interpreter_state *state, struct chunk_pool *pool)
{
    (void)pool;
    PyFrameObject *frame = state->visible;
    state->visible = NULL;
    while (frame != NULL) {
        PyFrameObject *back = frame->f_back;
        if (frame->f_gen == NULL) {
            Py_DECREF(frame);
        }
        frame = back;
    }
}

static inline void
state_forget_running(const struct interpreter_state *main,
                     PyThreadState *tstate)
{
    (void)main;
    (void)tstate;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    (void)tstate;
    return Py_XNewRef((PyObject *)state->visible);
}

/* A frame that executes is the C stack's, and so the greenlet's while that is parked.
   The collector does not know it as a rule: what it refers to is shown as if the
   greenlet did.  Runs no Python code. */
static inline int
frame_visit(PyFrameObject *frame, visitproc visit, void *arg)
{
    if (PyObject_GC_IsTracked((PyObject *)frame)) {
        Py_VISIT(frame);
        return 0;
    }
    return PyFrame_Type.tp_traverse((PyObject *)frame, visit, arg);
}

/* Up to a frame that somebody else refers to, who can reach from there whatever the
   frames farther out refer to.  Generators visit their own. */
static inline int
frames_visit(PyFrameObject *frame, visitproc visit, void *arg)
{
    int result = 0;
    Py_ssize_t references = 1;
    while (frame != NULL && Py_REFCNT(frame) == references && result == 0) {
        if (frame->f_gen == NULL) {
            result = frame_visit(frame, visit, arg);
        }
        frame = frame->f_back;
        references = 2; /* that one's, too */
    }
    return result;
}

static inline int
state_visit(struct interpreter_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->context);
    Py_VISIT(state->exc_state.exc_type);
    Py_VISIT(state->exc_state.exc_value);
    Py_VISIT(state->exc_state.exc_traceback);
    return frames_visit(state->visible, visit, arg);
}

static inline void
state_clear(struct interpreter_state *state)
{
    Py_CLEAR(state->context);
    Py_CLEAR(state->exc_state.exc_type);
    Py_CLEAR(state->exc_state.exc_value);
    Py_CLEAR(state->exc_state.exc_traceback);
}

static inline int
object_prepare_calls(PyObject **dict)
{
    (void)dict;
    return 0;
}

static inline void
tstate_enter_tracing(PyThreadState *tstate)
{
    tstate->tracing++;
    tstate->cframe->use_tracing = 0;
}

static inline void
tstate_leave_tracing(PyThreadState *tstate)
{
    tstate->tracing--;
    tstate->cframe->use_tracing
        = tstate->c_tracefunc != NULL || tstate->c_profilefunc != NULL;
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
