/* What a greenlet keeps of the interpreter's state has a data stack: from the time it is
   prepared until it has ended, or is abandoned. */

#include "cpython/tstate.h" /* before Python.h */

#include "inside.h"

#include <stdint.h>

#include "core/checks.h"
#include "further_chunk.h"
#include "memory.h"
#include "tests.h"

static struct chunk_pool pool;

const char *
state_is_prepared_and_cancelled(void)
{
    struct interpreter_state state = {0};
    pool_begin(&pool);
    memory_fail_after(0);
    CHECK_INT(state_prepare(&state, &pool, 0), ==, -1);
    CHECK(PyErr_Occurred() == NULL);
    state_cancel(&state, &pool);
    CHECK_INT(pool.count[0], ==, 0);
    memory_fail_after(-1);
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        check_context("class", (uint64_t)i);
        size_t size = chunk_class_size(i);
        CHECK_INT(state_prepare(&state, &pool, size), ==, 0);
        CHECK_INT(state.datastack.chunk->size, ==, size);
        CHECK_INT(state.room, ==, size);
        CHECK_INT(pool.count[i], ==, 0);
        state_cancel(&state, &pool);
        CHECK_INT(pool.count[i], ==, 1);
        CHECK_POINTER(state.datastack.chunk, ==, NULL);
    }
    pool_end(&pool);
    return NULL;
}

/* A greenlet has outgrown its root chunk when its frames have gone on to another one. */
const char *
state_knows_what_its_frames_took(void)
{
    struct interpreter_state state = {0};
    static PyThreadState tstate;
    size_t slot = sizeof(PyObject *);
    size_t head = offsetof(_PyStackChunk, data[1]);
    pool_begin(&pool);
    CHECK_INT(state_prepare(&state, &pool, 0), ==, 0);
    inside_load(&state.datastack, &tstate);
    CHECK(!state_outgrown(&state, &tstate));
    CHECK_INT(state_frames_size(&tstate), ==, head);
    tstate.datastack_top += 9;
    CHECK(!state_outgrown(&state, &tstate));
    CHECK_INT(state_frames_size(&tstate), ==, head + 9 * slot);
    /* Parked like that, it has room enough. */
    state.datastack.top = tstate.datastack_top;
    CHECK_INT(state_parked_frames_size(&state, &tstate), ==, head + 9 * slot);

    struct datastack root = state.datastack;
    struct datastack further = root;
    CHECK_INT(further_chunk_push(&further, ORDINARY_CHUNK_SIZE), ==, 0);
    further.top += 30;
    inside_load(&further, &tstate);
    CHECK(state_outgrown(&state, &tstate));
    CHECK_INT(state_frames_size(&tstate), ==,
              head + 9 * slot + head - slot + 30 * slot);
    /* There the interpreter may soon have a chunk of another size. */
    CHECK_INT(state.room, ==, root.chunk->size);
    state_note_room(&state, &tstate);
    CHECK_INT(state.room, ==, ROOM_UNKNOWN);
    CHECK_POINTER(state.datastack.chunk, ==, further.chunk);
    /* Parked like that and back at its root, it had outgrown it. */
    inside_load(&root, &tstate);
    CHECK_INT(state_parked_frames_size(&state, &tstate), ==, 0);
    CHECK(state_outgrown(&state, &tstate));
    state_note_room(&state, &tstate);
    CHECK_INT(state.room, ==, root.chunk->size);
    CHECK_POINTER(state.datastack.chunk, ==, root.chunk);
    datastack_free(&further, &pool);
    pool_end(&pool);
    return NULL;
}

/* Also those of the interpreter's, and also when the thread has ended that had the pool. */
const char *
state_that_is_abandoned_gives_chunks_back(void)
{
    struct chunk_pool *const pools[] = {&pool, NULL};
    for (unsigned i = 0; i < 2; i++) {
        struct interpreter_state state = {0};
        pool_begin(&pool);
        CHECK_INT(state_prepare(&state, &pool, 0), ==, 0);
        for (unsigned j = 0; j < 3; j++) {
            state.datastack.top += 5;
            CHECK_INT(further_chunk_push(&state.datastack, ORDINARY_CHUNK_SIZE),
                      ==, 0);
        }
        state_abandon(&state, pools[i]);
        CHECK_INT(memory_blocks_of(ORDINARY_CHUNK_SIZE), ==, 0);
        CHECK_INT(store_used(pool.store), ==, pools[i] != NULL ? 1 : 0);
        /* There is nothing left for a second time. */
        state_abandon(&state, pools[i]);
        CHECK_INT(store_used(pool.store), ==, pools[i] != NULL ? 1 : 0);
        pool_end(&pool);
    }
    return NULL;
}

/* The one that the thread has then, not the one that it was prepared with. */
const char *
state_that_is_left_gives_chunks_back(void)
{
    struct interpreter_state state = {0};
    PyThreadState *tstate = PyThreadState_Get();
    struct datastack outer;
    pool_begin(&pool);
    CHECK_INT(state_prepare(&state, &pool, 0), ==, 0);
    struct datastack current = state.datastack;
    CHECK_INT(further_chunk_push(&current, ORDINARY_CHUNK_SIZE), ==, 0);
    datastack_save(&outer, tstate);
    inside_load(&current, tstate);
    state_leave(&state, tstate, &pool);
    inside_load(&outer, tstate);
    CHECK_INT(memory_blocks_of(ORDINARY_CHUNK_SIZE), ==, 0);
    CHECK_INT(pool.count[0], ==, 1);
    CHECK_POINTER(state.datastack.chunk, ==, NULL);
    pool_end(&pool);
    return NULL;
}

/* Another thread frees the thread state of a greenlet that was running: what it finds there
   is the main greenlet's. */
const char *
state_that_ran_is_forgotten(void)
{
    struct interpreter_state main_state = {0};
    struct interpreter_state state = {0};
    static PyThreadState tstate;
    pool_begin(&pool);
    CHECK_INT(state_prepare(&main_state, &pool, 0), ==, 0);
    CHECK_INT(state_prepare(&state, &pool, 0), ==, 0);
    inside_load(&state.datastack, &tstate);
    state_forget_running(&main_state, &tstate);
    CHECK_POINTER(tstate.datastack_chunk, ==, main_state.datastack.chunk);
    CHECK_POINTER(tstate.datastack_top, ==, main_state.datastack.top);
    CHECK_POINTER(tstate.datastack_limit, ==,
                  (char *)tstate.datastack_chunk
                      + tstate.datastack_chunk->size);
    state_cancel(&state, &pool);
    state_cancel(&main_state, &pool);
    pool_end(&pool);
    return NULL;
}
