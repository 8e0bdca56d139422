/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, datastack.h, struct interpreter_state, frame_code,
   frame_is_entry, frame_clear_callable, frame_visit_callable, frame_generator,
   frame_give_code, part_object_slots.h or stackref_slots.h, part_call_arguments.h or
   no_call_arguments.h, tstate_frame.

   What is the same in every CPython from 3.11 on: there is a data stack, and
   frames are no objects. */

#ifndef GREENLET_CPYTHON_PART_SINCE_3_11_H
#define GREENLET_CPYTHON_PART_SINCE_3_11_H

#include <Python.h>

#include <stdbool.h>

#include "core/slice.h"

#include "datastack.h"
#include "part_handlers_in_table.h"
#include "part_parked_frames.h"

static inline int
state_prepare(struct interpreter_state *state, struct chunk_pool *pool,
              size_t frames_size)
{
    if (datastack_new(&state->datastack, pool, frames_size) < 0) {
        return -1;
    }
    /* The chunk_room of a root chunk. */
    state->room = (uint16_t)state->datastack.chunk->size;
    return 0;
}

static_assert(offsetof(struct interpreter_state, datastack) == 0
                  && offsetof(struct datastack, chunk)
                         == offsetof(struct slice_room, low)
                  && offsetof(struct datastack, top)
                         == offsetof(struct slice_room, unused)
                  && sizeof(struct datastack) == sizeof(struct slice_room),
              "a data stack looks like a slice's room");

static inline size_t
state_room(const struct interpreter_state *state)
{
    return state->room != ROOM_UNKNOWN ? state->room : 0;
}

static inline bool
state_outgrown(const struct interpreter_state *state,
               const PyThreadState *tstate)
{
    return state->datastack.chunk != tstate->datastack_chunk;
}

static inline void
state_note_room(struct interpreter_state *state, const PyThreadState *tstate)
{
    datastack_save(&state->datastack, tstate);
    state->room = chunk_room(state->datastack.chunk);
}

static inline size_t
state_frames_size(const PyThreadState *tstate)
{
    return datastack_needed(tstate->datastack_chunk, tstate->datastack_top);
}

/* Only the root chunk is left: any other chunk in which it parked is gone. */
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

/* What the frames of a suspended greenlet refer to, for the collector. */
static inline int
state_visit_frames(const struct interpreter_state *state, visitproc visit,
                   void *arg)
{
    bool is_revealed = state_reveal_stack(state);
    int result = frames_visit(state->visible, visit, arg);
    if (is_revealed) {
        state_hide_stack(state);
    }
    return result;
}

static inline void
state_abandon(struct interpreter_state *state, struct chunk_pool *pool)
{
    (void)state_reveal_stack(state);
    struct _PyInterpreterFrame *frame = state->visible;
    state->visible = NULL;
    frames_drop(frame);
    datastack_free(&state->datastack, pool);
}

static inline void
state_forget_running(const struct interpreter_state *main,
                     PyThreadState *tstate)
{
    datastack_load(&main->datastack, main->room, tstate);
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
