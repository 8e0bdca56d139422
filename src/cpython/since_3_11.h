/* What is the same in every CPython from 3.11 on: there is a data stack, and
   frames are no objects.  Included by the version files, once they have defined
   struct interpreter_state and what parked_frames.h needs. */

#ifndef GREENLET_CPYTHON_SINCE_3_11_H
#define GREENLET_CPYTHON_SINCE_3_11_H

#include "datastack.h"
#include "parked_frames.h"

static inline int
state_prepare(struct interpreter_state *state, struct chunk_pool *pool,
              size_t frames_size)
{
    return datastack_new(&state->datastack, pool, frames_size);
}

static inline bool
state_outgrown(const struct interpreter_state *state,
               const PyThreadState *tstate)
{
    return state->datastack.chunk != tstate->datastack_chunk;
}

static inline size_t
state_frames_size(const PyThreadState *tstate)
{
    return datastack_needed(tstate->datastack_chunk, tstate->datastack_top);
}

/* A chunk that is not the root chunk, which is what is left, is gone. */
static inline size_t
state_parked_frames_size(const struct interpreter_state *state,
                         const PyThreadState *tstate)
{
    const struct datastack *parked = &state->datastack;
    return parked->chunk == tstate->datastack_chunk
               ? datastack_needed(parked->chunk, parked->top)
               : 0;
}

static inline void
state_cancel(struct interpreter_state *state, struct chunk_pool *pool)
{
    datastack_free(&state->datastack, pool);
}

static inline void
state_abandon(struct interpreter_state *state, struct chunk_pool *pool)
{
    struct _PyInterpreterFrame *frame = state->visible;
    state->visible = NULL;
    frames_drop(frame);
    datastack_free(&state->datastack, pool);
}

static inline void
state_forget_running(const struct interpreter_state *main,
                     PyThreadState *tstate)
{
    datastack_load(&main->datastack, tstate);
}

static inline void
tstate_enter_tracing(PyThreadState *tstate)
{
    PyThreadState_EnterTracing(tstate);
}

static inline void
tstate_leave_tracing(PyThreadState *tstate)
{
    PyThreadState_LeaveTracing(tstate);
}

#endif
