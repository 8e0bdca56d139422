/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, struct stack_end, end_note, end_init, end_enter,
   tstate_outermost_frame, code_instrument, tstate_context_changed.

   What is the same in every CPython from 3.14 on.

   tstate_outermost_frame is what the chain of frames of a thread ends in: NULL or a
   frame that is the thread's.

   Per thread the interpreter keeps, and a greenlet takes along: the current
   frame, the recursion counter, the data stack, the exception being handled,
   the context and the machine code being executed, if any.  The counter travels
   as a depth, so that a new recursion limit counts for parked greenlets too.  C
   recursion is limited by bounds for the stack pointer, which go with the stack
   in use (part_stack_home.h).

   Without a GIL two lists go along, too (part_stack_lists.h).

   Left to the thread: the data stack's spare chunk; delete_later, a list of
   objects that any greenlet may deallocate; critical_section, which is always 0
   with a GIL; tracing and profiling functions; the exception being raised,
   since a switch either has none or hands it over.

   The interpreter frees machine code that is out of use as soon as no thread
   state names it; so a parked greenlet holds a reference.

   The exception state of a greenlet lies in its interpreter_state instead of
   the thread state's exc_state, so that a switch only moves a pointer. */

#ifndef GREENLET_CPYTHON_PART_SINCE_3_14_H
#define GREENLET_CPYTHON_PART_SINCE_3_14_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"

#include "core/compiler.h"

#include "datastack.h"

#define MORE_PLACES                                                            \
    PLACE(PyThreadState, eval_breaker, debugger_support.eval_breaker),         \
        PLACE(PyThreadState, remote_debugger_support,                          \
              debugger_support.remote_debugger_support),                       \
        PLACE(struct _PyInterpreterFrame, stackpointer,                        \
              interpreter_frame.stackpointer),

static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    return frame->owner >= FRAME_OWNED_BY_INTERPRETER;
}

struct interpreter_state {
    struct datastack datastack;          /* first: a struct slice_room */
    struct _PyInterpreterFrame *visible; /* the current frame; NULL while
                                            running, or if there is none */
    _PyErr_StackItem *exc_info;
    PyObject *context;          /* owned; NULL while running */
    PyObject *current_executor; /* owned; NULL while running */
    int python_depth;
    unsigned tools_version;             /* see part_instrumentation.h */
    struct _PyInterpreterFrame *sealed; /* see part_frames.h */
    bool is_nested;                     /* while sealed: see frames_seal */
    uint16_t room;                      /* see chunk_room */
    struct stack_lists stack_lists;     /* see part_stack_lists.h */
    /* Not moved by a switch: */
    _PyErr_StackItem exc_state; /* what exc_info starts from */
};

static inline PyCodeObject *
frame_code(struct _PyInterpreterFrame *frame)
{
    return _PyFrame_GetCode(frame);
}

#include "stackref_slots.h"

#include "no_call_arguments.h"

static inline void
frame_clear_callable(struct _PyInterpreterFrame *frame)
{
    slot_clear(&frame->f_funcobj);
    slot_clear(&frame->f_executable);
}

/* The generator, borrowed, that a frame belongs to. */
static inline PyGenObject *
frame_generator(struct _PyInterpreterFrame *frame)
{
    return _PyGen_GetGeneratorFromFrame(frame);
}

/* Consumes the reference to `code`. */
static inline void
frame_give_code(struct _PyInterpreterFrame *frame, PyCodeObject *code)
{
    frame->f_executable = PyStackRef_FromPyObjectSteal((PyObject *)code);
}

static inline int
frame_visit_callable(struct _PyInterpreterFrame *frame, visitproc visit,
                     void *arg)
{
    int result = slot_visit(frame->f_funcobj, visit, arg);
    return result != 0 ? result : slot_visit(frame->f_executable, visit, arg);
}

/* Between two greenlets the thread state has no machine code. */
static inline void
tstate_leave_executor(PyThreadState *tstate)
{
    tstate->current_executor = NULL;
}

#include "part_since_3_13.h"

#include "part_since_3_12.h"

#include "part_stack_home.h"

#define CODE_STEPS                                                             \
    CODE_STEPS_SINCE_3_12, [NOT_TAKEN] = STEP_QUIET,                           \
                           [LOAD_COMMON_CONSTANT] = STEP_QUIET

static inline void
state_start(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->current_frame = tstate_outermost_frame(tstate);
    tstate->exc_info = &state->exc_state;
    tstate->context = state->context;
    state->context = NULL;
    tstate_context_changed(tstate);
    datastack_load(&state->datastack, state->room, tstate);
}

/* Not out of line: a call would make the caller save registers. */
static inline void
executor_take(struct interpreter_state *state, PyThreadState *tstate)
{
    state->current_executor = Py_NewRef(tstate->current_executor);
    tstate_leave_executor(tstate);
}

static OUT_OF_LINE void
executor_give_back(struct interpreter_state *state, PyThreadState *tstate)
{
    tstate->current_executor = state->current_executor;
    Py_CLEAR(state->current_executor);
}

static inline void
state_suspend(struct interpreter_state *state, PyThreadState *tstate)
{
    stack_lists_suspend(&state->stack_lists, tstate);
    struct _PyInterpreterFrame *end = tstate_outermost_frame(tstate);
    struct _PyInterpreterFrame *frame = tstate->current_frame;
    state->visible = frame != end ? frame : NULL;
    state->exc_info = tstate->exc_info;
    state->context = tstate->context;
    state->python_depth
        = tstate->py_recursion_limit - tstate->py_recursion_remaining;
    if (!LIKELY(tstate->current_executor == NULL)) {
        executor_take(state, tstate);
    }
    state->tools_version = tstate_tools_version(tstate);
    datastack_save_top(&state->datastack, tstate);
}

/* What is lent is the frame that the thread's chain ends in.  Returns the
   sealed chain's link to that frame, or NULL if there is none. */
static inline void *
state_seal(struct interpreter_state *state, PyThreadState *tstate)
{
    struct _PyInterpreterFrame *end
        = tstate != NULL ? tstate_outermost_frame(tstate) : NULL;
    if (state->sealed == NULL) {
        state->sealed = frames_seal(&state->visible, end, &state->is_nested);
    }
    if (tstate != NULL) {
        tstate->current_frame = state->visible != NULL ? state->visible : end;
    }
    return end != NULL && state->sealed != NULL ? state->sealed->f_globals
                                                : NULL;
}

static inline void
state_resume(struct interpreter_state *state, PyThreadState *tstate)
{
    frames_unseal(&state->sealed, &state->is_nested);
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
    if (!LIKELY(state->current_executor == NULL)) {
        executor_give_back(state, tstate);
    }
    datastack_load(&state->datastack, state->room, tstate);
    if (state->tools_version != tstate_tools_version(tstate)) {
        frames_instrument(frame, tstate);
    }
    stack_lists_resume(&state->stack_lists, tstate);
}

static inline void
state_settle(void *lent)
{
    struct _PyInterpreterFrame **link = lent;
    if (link != NULL) {
        *link = NULL;
    }
}

#if FREE_THREADED
static inline void
state_hold(struct interpreter_state *state, const PyThreadState *running)
{
    frames_hold(running != NULL ? running->current_frame : state->visible,
                &state->stack_lists.held);
}

static inline void
state_hold_found(struct interpreter_state *state, const PyThreadState *running)
{
    state_hold(state, running);
    state->stack_lists.held.is_found = true;
}

static inline void
state_hold_no_more(struct interpreter_state *state, PyObject *greenlet)
{
    if (!LIKELY(state->stack_lists.held.list == NULL)) {
        held_let_go(&state->stack_lists.held, greenlet);
    }
}

static inline int
state_visit_uncounted(struct interpreter_state *state, visitproc visit,
                      void *arg)
{
    return frames_show_deferred(state->visible, visit, arg);
}
#endif

static inline int
state_visit(struct interpreter_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->context);
    Py_VISIT(state->current_executor);
    Py_VISIT(state->exc_state.exc_value);
    int result = state_visit_frames(state, visit, arg);
#if FREE_THREADED
    if (result == 0) {
        result = list_visit_items(state->stack_lists.held.list, visit, arg);
    }
#endif
    return result != 0 ? result : state_visit_uncounted(state, visit, arg);
}

static inline void
state_clear(struct interpreter_state *state)
{
    state->sealed = NULL;
    state->is_nested = false;
    Py_CLEAR(state->context);
    Py_CLEAR(state->current_executor);
    Py_CLEAR(state->exc_state.exc_value);
#if FREE_THREADED
    held_clear(&state->stack_lists.held);
#endif
}

#endif
