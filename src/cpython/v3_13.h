/* CPython 3.13.

   Per thread it keeps, and a greenlet takes along: the current frame, both
   recursion counters, the data stack, the exception being handled and the
   context.  The Python counter travels as a depth, so that a new recursion
   limit counts for parked greenlets too; the C counter has a fixed limit.

   Left to the thread: delete_later, a list of objects that any greenlet may
   deallocate; critical_section, which is always 0 with a GIL, and goes along without
   (part_critical_sections.h); tracing and
   profiling functions; the exception being raised, since a switch either has
   none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"

#include "datastack.h"

#define MORE_PLACES

struct interpreter_state {
    struct datastack datastack;          /* first: a struct slice_room */
    struct _PyInterpreterFrame *visible; /* the current frame; NULL while
                                            running, or if there is none */
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int c_remaining;
    unsigned tools_version;             /* see part_instrumentation.h */
    bool is_nested;                     /* while sealed: see frames_seal */
    struct stack_lists stack_lists;     /* see part_critical_sections.h */
    uint16_t room;                      /* see chunk_room */
    struct _PyInterpreterFrame *sealed; /* see part_frames.h */
    PyObject *const *arguments_end;     /* see part_call_arguments.h */
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

/* Consumes the reference to `code`. */
static inline void
frame_give_code(struct _PyInterpreterFrame *frame, PyCodeObject *code)
{
    frame->f_executable = (PyObject *)code;
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    Py_VISIT(frame->f_funcobj);
    Py_VISIT(frame->f_executable);
    return 0;
}

#include "part_since_3_13.h"

#include "part_3_12_and_3_13.h"

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->current_frame = NULL;
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, state->room, tstate);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    stack_lists_suspend(&state->stack_lists, tstate);
    state->visible = tstate->current_frame;
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth
        = tstate->py_recursion_limit - tstate->py_recursion_remaining;
    state->c_remaining = tstate->c_recursion_remaining;
    state->tools_version = tstate_tools_version(tstate);
    datastack_save_top(&state->datastack, tstate);
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    frames_unseal(&state->sealed, &state->is_nested);
    tstate->current_frame = state->visible;
    tstate->exc_info = state->exc_info;
    tstate->context = state->context;
    state->context = NULL;
    state->visible = NULL;
    tstate_context_changed(tstate);
    tstate->py_recursion_remaining
        = tstate->py_recursion_limit - state->python_depth;
    tstate->c_recursion_remaining = state->c_remaining;
    datastack_load(&state->datastack, state->room, tstate);
    if (state->tools_version != tstate_tools_version(tstate)) {
        frames_instrument(tstate->current_frame, tstate);
    }
    stack_lists_resume(&state->stack_lists, tstate);
}

static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->sealed == NULL) {
        state->sealed = frames_seal(&state->visible, NULL, &state->is_nested);
    }
    if (tstate != NULL) {
        tstate->current_frame = state->visible;
    }
    return NULL;
}

/* See part_fields.h. */
#define TSTATE_FIELDS(STAYS, TRAVELS)                                          \
    STAYS(prev)                                                                \
    STAYS(next)                                                                \
    STAYS(interp)                                                              \
    STAYS(eval_breaker)                                                        \
    STAYS(_status)                                                             \
    STAYS(_whence)                                                             \
    STAYS(state)                                                               \
    TRAVELS(py_recursion_remaining)                                            \
    STAYS(py_recursion_limit)                                                  \
    TRAVELS(c_recursion_remaining)                                             \
    STAYS(recursion_headroom)                                                  \
    STAYS(tracing)                                                             \
    STAYS(what_event)                                                          \
    TRAVELS(current_frame)                                                     \
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
    STAYS(delete_later)                                                        \
    STAYS(critical_section)                                                    \
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
    STAYS(previous_executor)                                                   \
    STAYS(dict_global_version)                                                 \
    STAYS(threading_local_key)                                                 \
    STAYS(threading_local_sentinel)

#define TSTATE_LATER_FIELDS(STAYS)                                             \
    STAYS(_PyStackChunk *, datastack_cached_chunk)
