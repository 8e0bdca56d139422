/* CPython 3.10.

   Per thread it keeps, and a greenlet takes along: the current frame, which is
   an object kept alive by the C stack; the recursion depth; the nesting of the
   deallocator; the exception being handled and the context.

   The cframe, a record on the C stack, says whether the thread is being
   traced.  A greenlet that begins gets one of its own, in its
   interpreter_state; what it says belongs to the thread and is carried from
   origin to target, by way of the thread state's own root_cframe, which is
   unused until the thread ends.  A call that returns follows the `previous` of
   its own cframe; nobody reads that of a first cframe, and so something else is
   kept there.

   Left to the thread: the deallocator's list of objects, which any greenlet may
   deallocate; tracing and profiling functions; the exception being raised,
   since a switch either has none or hands it over.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"

#include <assert.h>
#include <frameobject.h>
#include <stddef.h>

#include "core/slice.h"

#include "no_datastack.h"

struct interpreter_state {
    void *no_room[2];       /* first: a struct slice_room, zeros for ever */
    CFrame *cframe;         /* on the C stack */
    PyFrameObject *visible; /* innermost; borrowed; NULL if running */
    _PyErr_StackItem *exc_info;
    PyObject *context; /* owned; NULL while running */
    int python_depth;
    int trash_nesting;
    /* Not moved by a switch: */
    union {
        CFrame root_cframe; /* the first one, apart from its `previous` */
        struct {
            int unused;                     /* root_cframe.use_tracing */
            PyObject *const *arguments_end; /* see state_reveal_stack */
        };
    };
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

static_assert(sizeof(((struct interpreter_state *)NULL)->no_room)
                  == sizeof(struct slice_room),
              "`no_room` looks like a slice's room");

static_assert(offsetof(struct interpreter_state, arguments_end)
                  >= offsetof(struct interpreter_state, root_cframe)
                         + offsetof(CFrame, previous),
              "`arguments_end` lies on what is used of a CFrame");

#include "no_extra_data.h"
#include "no_own_gil.h"
#include "no_seal.h"
#include "no_stack_home.h"
#include "part_until_3_12.h"

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

static inline void
state_note_room(struct interpreter_state *state, const PyThreadState *tstate)
{
    (void)state;
    (void)tstate;
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
state_leave(struct interpreter_state *state, PyThreadState *tstate,
            struct chunk_pool *pool)
{
    (void)pool;
    tstate->root_cframe.use_tracing = tstate->cframe->use_tracing;
    state->context = tstate->context;
    state->visible = NULL;
}

static inline void
state_note_arguments(struct interpreter_state *state, PyObject *const *end)
{
    state->arguments_end = end;
}

/* Note in the innermost frame how high its value stack is, if it has called
   switch() or throw() itself: their arguments are the topmost values.  True if
   the frame did not say so before.  The height of the other frames' value
   stacks is not known during a call. */
static inline bool
state_reveal_stack(const struct interpreter_state *state)
{
    PyFrameObject *frame = state->visible;
    if (frame == NULL || frame->f_gen != NULL || frame->f_stackdepth >= 0) {
        return false;
    }
    uintptr_t end = (uintptr_t)state->arguments_end;
    uintptr_t base = (uintptr_t)frame->f_valuestack;
    size_t room = (size_t)frame->f_code->co_stacksize * sizeof(PyObject *);
    if (end < base || end - base > room) {
        return false;
    }
    frame->f_stackdepth = (int)((end - base) / sizeof(PyObject *));
    return true;
}

/* Release the C stack's reference to each frame.  What lies on value stacks of
   unknown height is not released.  Generators are marked as ended, and release
   their frames themselves. */
static inline void
state_abandon(struct interpreter_state *state, struct chunk_pool *pool)
{
    (void)pool;
    (void)state_reveal_stack(state);
    PyFrameObject *frame = state->visible;
    state->visible = NULL;
    Py_XINCREF(frame);
    while (frame != NULL) {
        /* What a frame refers to may own a generator farther out. */
        PyFrameObject *back = (PyFrameObject *)Py_XNewRef(frame->f_back);
        if (frame->f_gen == NULL) {
            Py_DECREF(frame);
        }
        else {
            frame->f_state = FRAME_RETURNED;
        }
        Py_DECREF(frame);
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

/* The interpreter calls itself for each Python function, and does not tell who
   called it: each function may have been called from C. */
static inline bool
state_has_callback(const struct interpreter_state *state)
{
    int count = 0;
    for (PyFrameObject *frame = state->visible; frame != NULL;
         frame = frame->f_back)
    {
        count++;
    }
    return count > 1;
}

static inline PyObject *
state_frame(struct interpreter_state *state, PyThreadState *tstate)
{
    (void)tstate;
    return Py_XNewRef((PyObject *)state->visible);
}

/* The reference to a frame that executes is the C stack's, and so the parked
   greenlet's.  As a rule the collector does not track such a frame: then what
   it refers to is shown as if the greenlet referred to it.  Runs no Python
   code. */
static inline int
frame_visit(PyFrameObject *frame, visitproc visit, void *arg)
{
    if (PyObject_GC_IsTracked((PyObject *)frame)) {
        Py_VISIT(frame);
        return 0;
    }
    return PyFrame_Type.tp_traverse((PyObject *)frame, visit, arg);
}

static inline bool
frames_have_generator(const PyFrameObject *frame)
{
    while (frame != NULL && frame->f_gen == NULL) {
        frame = frame->f_back;
    }
    return frame != NULL;
}

/* Nothing is shown if a generator is executing: it may be borrowed from what
   the collector would tear.  Otherwise frames are shown up to the first that
   somebody else refers to, who can reach from there whatever the frames farther
   out refer to. */
static inline int
frames_visit(PyFrameObject *frame, visitproc visit, void *arg)
{
    int result = 0;
    if (frames_have_generator(frame)) {
        return 0;
    }
    Py_ssize_t references = 1;
    while (frame != NULL && Py_REFCNT(frame) == references && result == 0) {
        result = frame_visit(frame, visit, arg);
        frame = frame->f_back;
        references = 2; /* the frame inwards refers to it, too */
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
    bool is_revealed = state_reveal_stack(state);
    int result = frames_visit(state->visible, visit, arg);
    if (is_revealed) {
        state->visible->f_stackdepth = -1;
    }
    return result;
}

static inline void
state_clear(struct interpreter_state *state)
{
    Py_CLEAR(state->context);
    Py_CLEAR(state->exc_state.exc_type);
    Py_CLEAR(state->exc_state.exc_value);
    Py_CLEAR(state->exc_state.exc_traceback);
}

/* Each frame notes where its code handles exceptions. */

typedef PyFrameObject python_frame;

static inline python_frame *
frame_innermost(const PyThreadState *tstate)
{
    return tstate->frame;
}

static inline python_frame *
frame_outward(const python_frame *frame)
{
    return frame->f_back;
}

static inline PyCodeObject *
frame_code(const python_frame *frame)
{
    return frame->f_code;
}

static inline uint32_t
frame_place(const python_frame *frame)
{
    return frame->f_lasti >= 0 ? (uint32_t)frame->f_lasti : 0;
}

static inline PyObject *
code_bytes(PyCodeObject *code)
{
    return Py_NewRef(code->co_code);
}

/* Only those in force now are known; the code that follows enters and leaves
   others. */
static inline void
frame_note_handlers(python_frame *frame, uint32_t *handlers, uint32_t size)
{
    uint32_t outer = 0;
    for (int i = 0; i < frame->f_iblock; i++) {
        const PyTryBlock *block = &frame->f_blockstack[i];
        uint32_t handler = (uint32_t)block->b_handler;
        /* The block of a handler under way has a type that is no opcode. */
        if (block->b_type <= UINT8_MAX && handler < size) {
            handlers[handler] = outer;
            outer = handler;
        }
    }
    handlers[frame_place(frame)] = outer;
}

static inline void
handler_inherit(uint32_t *handler, uint32_t inherited)
{
    *handler = inherited;
}

/* Code does not tell columns, and a line may have many calls. */
static inline bool
code_is_of_same_source(PyCodeObject *code, uint32_t place, uint32_t other)
{
    (void)code;
    (void)place;
    (void)other;
    return false;
}

#define CODE_STEPS                                                             \
    [FOR_ITER] = STEP_FORWARD, [JUMP_IF_FALSE_OR_POP] = STEP_ABSOLUTE,         \
    [JUMP_IF_TRUE_OR_POP] = STEP_ABSOLUTE,                                     \
    [POP_JUMP_IF_FALSE] = STEP_ABSOLUTE, [POP_JUMP_IF_TRUE] = STEP_ABSOLUTE,   \
    [JUMP_IF_NOT_EXC_MATCH] = STEP_ABSOLUTE,                                   \
    [JUMP_FORWARD] = STEP_FORWARD | STEP_ENDS | STEP_QUIET,                    \
    [JUMP_ABSOLUTE] = STEP_ABSOLUTE | STEP_ENDS | STEP_QUIET,                  \
    [SETUP_FINALLY] = STEP_FORWARD | STEP_TRIES | STEP_QUIET,                  \
    [SETUP_WITH] = STEP_FORWARD | STEP_TRIES,                                  \
    [SETUP_ASYNC_WITH] = STEP_FORWARD | STEP_TRIES,                            \
    [POP_BLOCK] = STEP_TRIED | STEP_QUIET

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
    TRAVELS(frame)                                                             \
    TRAVELS(recursion_depth)                                                   \
    STAYS(recursion_headroom)                                                  \
    STAYS(stackcheck_counter)                                                  \
    STAYS(tracing)                                                             \
    TRAVELS(cframe)                                                            \
    STAYS(c_profilefunc)                                                       \
    STAYS(c_tracefunc)                                                         \
    STAYS(c_profileobj)                                                        \
    STAYS(c_traceobj)                                                          \
    STAYS(curexc_type)                                                         \
    STAYS(curexc_value)                                                        \
    STAYS(curexc_traceback)                                                    \
    STAYS(exc_state)                                                           \
    TRAVELS(exc_info)                                                          \
    STAYS(dict)                                                                \
    STAYS(gilstate_counter)                                                    \
    STAYS(async_exc)                                                           \
    STAYS(thread_id)                                                           \
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
    STAYS(root_cframe)

#define TSTATE_LATER_FIELDS(STAYS)
