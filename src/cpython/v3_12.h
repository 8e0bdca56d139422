/* CPython 3.12.

   Per thread it keeps, and a greenlet takes along: the cframe, a record on
   the C stack that leads to the current frame; both recursion counters; the
   nesting of the deallocator; the data stack; the exception being handled and
   the context.  The Python counter travels as a depth, so that a new recursion
   limit counts for parked greenlets too; the C counter has a fixed limit.

   A greenlet that begins gets a cframe of its own, in its interpreter_state.

   Left to the thread: the deallocator's list of objects, which any greenlet may
   deallocate; tracing and profiling functions; the exception being raised,
   since a switch either has none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"

#include "datastack.h"

struct interpreter_state {
    struct datastack datastack;          /* first: a struct slice_room */
    _PyCFrame *cframe;                   /* on the C stack */
    struct _PyInterpreterFrame *visible; /* the current frame; NULL while
                                            running, or if there is none */
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int c_remaining;
    int trash_nesting;
    unsigned tools_version;             /* see part_instrumentation.h */
    struct _PyInterpreterFrame *sealed; /* see part_frames.h */
    bool is_nested;                     /* while sealed: see frames_seal */
    uint16_t room;                      /* see chunk_room */
    PyObject *const *arguments_end;     /* see part_call_arguments.h */
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
    Py_CLEAR(frame->f_funcobj);
    Py_CLEAR(frame->f_code);
}

/* Consumes the reference to `code`. */
static inline void
frame_give_code(struct _PyInterpreterFrame *frame, PyCodeObject *code)
{
    frame->f_code = code;
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    Py_VISIT(frame->f_funcobj);
    Py_VISIT(frame->f_code);
    return 0;
}

#include "part_cframe.h"

static inline unsigned
tstate_tools_version(const PyThreadState *tstate)
{
    return (unsigned)tstate->interp->monitoring_version;
}

#include "part_3_12_and_3_13.h"
#include "part_until_3_12.h"

static inline PyThreadState *
tstate_current(void)
{
    return _PyThreadState_UncheckedGet();
}

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    state->root_cframe.current_frame = NULL;
    state->root_cframe.previous = &tstate->root_cframe;
    tstate->cframe = &state->root_cframe;
    tstate->trash.delete_nesting = 0;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, state->room, tstate);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    state->cframe = tstate->cframe;
    state->visible = tstate->cframe->current_frame;
    cframe_leave_stack(state, tstate);
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth
        = tstate->py_recursion_limit - tstate->py_recursion_remaining;
    state->c_remaining = tstate->c_recursion_remaining;
    state->trash_nesting = tstate->trash.delete_nesting;
    state->tools_version = tstate_tools_version(tstate);
    datastack_save_top(&state->datastack, tstate);
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    frames_unseal(&state->sealed, &state->is_nested);
    state->root_cframe.current_frame = NULL;
    tstate->cframe = state->cframe;
    tstate->cframe->current_frame = state->visible;
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    state->visible = NULL;
    tstate_context_changed(tstate);
    tstate->py_recursion_remaining
        = tstate->py_recursion_limit - state->python_depth;
    tstate->c_recursion_remaining = state->c_remaining;
    tstate->trash.delete_nesting = state->trash_nesting;
    datastack_load(&state->datastack, state->room, tstate);
    if (state->tools_version != tstate_tools_version(tstate)) {
        frames_instrument(tstate->cframe->current_frame, tstate);
    }
}

static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    (void)tstate;
    if (state->sealed == NULL) {
        state->sealed = frames_seal(&state->visible, NULL, &state->is_nested);
        state->root_cframe.current_frame = state->visible;
    }
    return NULL;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->visible == NULL) {
        return NULL;
    }
    struct _PyInterpreterFrame *running = tstate->cframe->current_frame;
    tstate->cframe->current_frame = state->visible;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);
    tstate->cframe->current_frame = running;
    return frame;
}

#define TSTATE_HAS_TRASH_NESTING 1

static inline PyObject *
tstate_trash_nesting(PyThreadState *tstate)
{
    return PyLong_FromLong(tstate->trash.delete_nesting);
}

/* See part_fields.h. */
#define TSTATE_FIELDS(STAYS, TRAVELS)                                          \
    STAYS(prev)                                                                \
    STAYS(next)                                                                \
    STAYS(interp)                                                              \
    STAYS(_status)                                                             \
    TRAVELS(py_recursion_remaining)                                            \
    STAYS(py_recursion_limit)                                                  \
    TRAVELS(c_recursion_remaining)                                             \
    STAYS(recursion_headroom)                                                  \
    STAYS(tracing)                                                             \
    STAYS(what_event)                                                          \
    TRAVELS(cframe)                                                            \
    STAYS(c_profilefunc)                                                       \
    STAYS(c_tracefunc)                                                         \
    STAYS(c_profileobj)                                                        \
    STAYS(c_traceobj)                                                          \
    STAYS(current_exception)                                                   \
    TRAVELS(exc_info)                                                          \
    STAYS(dict)                                                                \
    STAYS(gilstate_counter)                                                    \
    STAYS(async_exc)                                                           \
    STAYS(thread_id)                                                           \
    STAYS(native_thread_id)                                                    \
    TRAVELS(trash)                                                             \
    STAYS(on_delete)                                                           \
    STAYS(on_delete_data)                                                      \
    STAYS(coroutine_origin_tracking_depth)                                     \
    STAYS(async_gen_firstiter)                                                 \
    STAYS(async_gen_finalizer)                                                 \
    TRAVELS(context)                                                           \
    STAYS(context_ver)                                                         \
    STAYS(id)                                                                  \
    TRAVELS(datastack_chunk)                                                   \
    TRAVELS(datastack_top)                                                     \
    TRAVELS(datastack_limit)                                                   \
    STAYS(exc_state)                                                           \
    STAYS(root_cframe)

#define TSTATE_LATER_FIELDS(STAYS)
