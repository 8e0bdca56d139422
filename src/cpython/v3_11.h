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

   Left to the thread: the deallocator's list of objects, which any greenlet may
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
    struct datastack datastack;          /* first: a struct slice_room */
    _PyCFrame *cframe;                   /* on the C stack */
    struct _PyInterpreterFrame *visible; /* innermost; NULL if running */
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int16_t trash_nesting;          /* 51 at most */
    uint16_t room;                  /* see chunk_room */
    PyObject *const *arguments_end; /* see part_call_arguments.h */
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

/* The generator, borrowed, that a frame belongs to. */
static inline PyGenObject *
frame_generator(struct _PyInterpreterFrame *frame)
{
    return _PyFrame_GetGenerator(frame);
}

/* Consumes the reference to `code`: a generator has its own, and needs none in
   its frame. */
static inline void
frame_give_code(struct _PyInterpreterFrame *frame, PyCodeObject *code)
{
    (void)frame;
    Py_DECREF(code);
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

#include "part_object_slots.h"

#include "part_call_arguments.h"

#include "no_extra_data.h"
#include "no_own_gil.h"
#include "no_seal.h"
#include "no_stack_home.h"
#include "part_until_3_12.h"
#include "part_cframe.h"
#include "part_since_3_11.h"

#define CODE_STEPS                                                             \
    [FOR_ITER] = STEP_FORWARD, [SEND] = STEP_FORWARD,                          \
    [JUMP_IF_FALSE_OR_POP] = STEP_FORWARD,                                     \
    [JUMP_IF_TRUE_OR_POP] = STEP_FORWARD,                                      \
    [POP_JUMP_FORWARD_IF_FALSE] = STEP_FORWARD,                                \
    [POP_JUMP_FORWARD_IF_TRUE] = STEP_FORWARD,                                 \
    [POP_JUMP_FORWARD_IF_NONE] = STEP_FORWARD,                                 \
    [POP_JUMP_FORWARD_IF_NOT_NONE] = STEP_FORWARD,                             \
    [POP_JUMP_BACKWARD_IF_FALSE] = STEP_BACKWARD,                              \
    [POP_JUMP_BACKWARD_IF_TRUE] = STEP_BACKWARD,                               \
    [POP_JUMP_BACKWARD_IF_NONE] = STEP_BACKWARD,                               \
    [POP_JUMP_BACKWARD_IF_NOT_NONE] = STEP_BACKWARD,                           \
    [JUMP_FORWARD] = STEP_FORWARD | STEP_ENDS | STEP_QUIET,                    \
    [JUMP_BACKWARD] = STEP_BACKWARD | STEP_ENDS | STEP_QUIET,                  \
    [JUMP_BACKWARD_NO_INTERRUPT] = STEP_BACKWARD | STEP_ENDS | STEP_QUIET,     \
    [COPY] = STEP_QUIET, [SWAP] = STEP_QUIET

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
    datastack_load(&state->datastack, state->room, tstate);
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
    assert(tstate->trash_delete_nesting <= INT16_MAX);
    state->trash_nesting = (int16_t)tstate->trash_delete_nesting;
    datastack_save_top(&state->datastack, tstate);
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
    datastack_load(&state->datastack, state->room, tstate);
}

static inline void
state_leave(struct interpreter_state *state, PyThreadState *tstate,
            struct chunk_pool *pool)
{
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
    state->datastack = (struct datastack){.chunk = NULL};
    chunks_free(tstate->datastack_chunk, pool);
    state->context = tstate->context;
    state->visible = NULL;
}

static inline bool
state_has_callback(const struct interpreter_state *state)
{
    int count = 0;
    const struct _PyInterpreterFrame *frame = state->visible;
    for (; frame != NULL; frame = frame->previous) {
        count += frame->is_entry;
    }
    return count > 1;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    if (state->visible == NULL) {
        return NULL;
    }
    /* Nobody may see the thread with frames that are not its own: no
       collection now. */
    int collects = collector_pause();
    struct _PyInterpreterFrame *running = tstate->cframe->current_frame;
    tstate->cframe->current_frame = state->visible;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);
    tstate->cframe->current_frame = running;
    collector_go_on(collects);
    return frame;
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

#define TSTATE_HAS_TRASH_NESTING 1

static inline PyObject *
tstate_trash_nesting(PyThreadState *tstate)
{
    return PyLong_FromLong(tstate->trash_delete_nesting);
}

/* See part_fields.h. */
#define TSTATE_FIELDS(STAYS, TRAVELS)                                          \
    STAYS(prev)                                                                \
    STAYS(next)                                                                \
    STAYS(interp)                                                              \
    STAYS(_initialized)                                                        \
    STAYS(_static)                                                             \
    TRAVELS(recursion_remaining)                                               \
    STAYS(recursion_limit)                                                     \
    STAYS(recursion_headroom)                                                  \
    STAYS(tracing)                                                             \
    STAYS(tracing_what)                                                        \
    TRAVELS(cframe)                                                            \
    STAYS(c_profilefunc)                                                       \
    STAYS(c_tracefunc)                                                         \
    STAYS(c_profileobj)                                                        \
    STAYS(c_traceobj)                                                          \
    STAYS(curexc_type)                                                         \
    STAYS(curexc_value)                                                        \
    STAYS(curexc_traceback)                                                    \
    TRAVELS(exc_info)                                                          \
    STAYS(dict)                                                                \
    STAYS(gilstate_counter)                                                    \
    STAYS(async_exc)                                                           \
    STAYS(thread_id)                                                           \
    STAYS(native_thread_id)                                                    \
    TRAVELS(trash_delete_nesting)                                              \
    STAYS(trash_delete_later)                                                  \
    STAYS(on_delete)                                                           \
    STAYS(on_delete_data)                                                      \
    STAYS(coroutine_origin_tracking_depth)                                     \
    STAYS(async_gen_firstiter)                                                 \
    STAYS(async_gen_finalizer)                                                 \
    TRAVELS(context)                                                           \
    STAYS(context_ver)                                                         \
    STAYS(id)                                                                  \
    STAYS(trace_info)                                                          \
    TRAVELS(datastack_chunk)                                                   \
    TRAVELS(datastack_top)                                                     \
    TRAVELS(datastack_limit)                                                   \
    STAYS(exc_state)                                                           \
    STAYS(root_cframe)

#define TSTATE_LATER_FIELDS(STAYS)
