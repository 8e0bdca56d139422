/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, datastack.h, struct interpreter_state, frame_code,
   frame_is_entry, frame_clear_callable, frame_visit_callable, frame_generator,
   frame_give_code, part_object_slots.h or stackref_slots.h, part_call_arguments.h or
   no_call_arguments.h, tstate_frame, tstate_tools_version, code_instrument,
   tstate_leave_executor.

   What is the same in every CPython from 3.12 on: there are entry frames; code
   is rewritten for tools; an object may have room for others' data behind it,
   and an interpreter a GIL of its own. */

#ifndef GREENLET_CPYTHON_PART_SINCE_3_12_H
#define GREENLET_CPYTHON_PART_SINCE_3_12_H

#include <Python.h>

#include <stdbool.h>

#include "part_frames.h"
#include "part_instrumentation.h"
#include "part_since_3_11.h"

/* The version file adds its own. */
#define CODE_STEPS_SINCE_3_12                                                  \
    [FOR_ITER] = STEP_FORWARD, [SEND] = STEP_FORWARD,                          \
    [POP_JUMP_IF_FALSE] = STEP_FORWARD, [POP_JUMP_IF_TRUE] = STEP_FORWARD,     \
    [POP_JUMP_IF_NONE] = STEP_FORWARD, [POP_JUMP_IF_NOT_NONE] = STEP_FORWARD,  \
    [JUMP_FORWARD] = STEP_FORWARD | STEP_ENDS | STEP_QUIET,                    \
    [JUMP_BACKWARD] = STEP_BACKWARD | STEP_ENDS | STEP_QUIET,                  \
    [JUMP_BACKWARD_NO_INTERRUPT] = STEP_BACKWARD | STEP_ENDS | STEP_QUIET,     \
    [COPY] = STEP_QUIET, [SWAP] = STEP_QUIET

static inline void
state_leave(struct interpreter_state *state, PyThreadState *tstate,
            struct chunk_pool *pool)
{
    state->datastack = (struct datastack){.chunk = NULL};
    chunks_free(tstate->datastack_chunk, pool);
    tstate_leave_executor(tstate);
    state->context = tstate->context;
    state->visible = NULL;
}

static inline bool
state_has_callback(const struct interpreter_state *state)
{
    return state->sealed != NULL ? state->is_nested
                                 : frames_count_entries(state->visible) > 1;
}

static inline int
object_prepare_calls(PyObject **dict)
{
    (void)dict;
    return 0;
}

static inline PyObject *
object_new_with_room(PyTypeObject *type, size_t room)
{
    return PyUnstable_Object_GC_NewWithExtraData(type, room);
}

#define TSTATE_MODULE_SLOTS                                                    \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},      \
        MODULE_THREADS_SLOT

/* Collections begin between two instructions of Python code only. */
static inline int
collector_pause(void)
{
    return 0;
}

static inline void
collector_go_on(int paused)
{
    (void)paused;
}

static inline bool
interpreter_runs_apart(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return (FREE_THREADED || interpreter->ceval.own_gil)
           && interpreter != PyInterpreterState_Main();
}

#endif
