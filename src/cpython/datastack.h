/* The data stack: where CPython 3.11 and later keep the frames of Python
   functions, in chunks chained from the newest to the root.

   A thread state without a chunk makes the interpreter map one of 16 KiB at
   the first call and unmap it when that call returns.  Each greenlet gets a
   root chunk of ours instead, which the interpreter fills but never frees: its
   first slot is left out, and the interpreter gives a chunk back when its first
   slot is popped.  It is small unless the greenlet is known to need more.

   A call that does not fit in a root chunk still takes a chunk of the
   interpreter's.  A greenlet at that edge would map and unmap one per call;
   chunk_cache_install makes that cheap. */

#ifndef GREENLET_CPYTHON_DATASTACK_H
#define GREENLET_CPYTHON_DATASTACK_H

#include <Python.h>

#include "chunk_slab.h"
#include "core/compiler.h"

/* Root chunks that are ready for use, by their classes.  One pool per thread: no
   locks. */
struct chunk_pool {
    struct chunk_store *store; /* borrowed: where further ones come from */
    _PyStackChunk *free[CHUNK_CLASSES];
    unsigned int count[CHUNK_CLASSES];
};

/* The thread state also has a limit: always the end of the chunk (layout.c proves it). */
struct datastack {
    _PyStackChunk *chunk; /* the newest; NULL if there is none */
    PyObject **top;
};

/* Make a data stack with an empty root chunk, which it owns, with room for
   `size` bytes of frames; the smallest root chunk if none is that large.  -1
   when out of memory, without an exception. */
int datastack_new(struct datastack *stack, struct chunk_pool *pool,
                  size_t size);

/* How large a root chunk would have held what is now in all the chunks from
   `chunk` on. */
size_t datastack_needed(const _PyStackChunk *chunk, PyObject *const *top);

/* Give back chunks, from the newest to the root, that nothing refers to any more; the
   root chunk to the pool, if that has room and is not NULL. */
void chunks_free(_PyStackChunk *chunk, struct chunk_pool *pool);

/* The same for all chunks of a data stack, which has none afterwards. */
static inline void
datastack_free(struct datastack *stack, struct chunk_pool *pool)
{
    _PyStackChunk *chunk = stack->chunk;
    stack->chunk = NULL;
    stack->top = NULL;
    if (chunk != NULL) {
        chunks_free(chunk, pool);
    }
}

/* Make an empty pool.  `store` is borrowed. */
void chunk_pool_init(struct chunk_pool *pool, struct chunk_store *store);

/* Free the chunks of a pool. */
void chunk_pool_clear(struct chunk_pool *pool);

/* Keep a few of the interpreter's own chunks, process-wide, instead of
   unmapping and mapping them.  Idempotent. */
void chunk_cache_install(void);

static inline void
datastack_save(struct datastack *stack, const PyThreadState *tstate)
{
    stack->chunk = tstate->datastack_chunk;
    stack->top = tstate->datastack_top;
}

/* The same if the newest chunk is the one that was loaded. */
static inline void
datastack_save_top(struct datastack *stack, const PyThreadState *tstate)
{
    assert(stack->chunk == tstate->datastack_chunk);
    stack->top = tstate->datastack_top;
}

/* What a greenlet notes of its newest chunk, whose head is likely to be in no cache when it
   goes on: the size of its root chunk, 0 for no chunk, and ROOM_UNKNOWN for a chunk of the
   interpreter's, which may soon have another of another size in the same place. */
#define ROOM_UNKNOWN ((uint16_t)1)

static inline uint16_t
chunk_room(const _PyStackChunk *chunk)
{
    static_assert(ORDINARY_CHUNK_SIZE <= UINT16_MAX, "root chunks are smaller");
    if (chunk == NULL) {
        return 0;
    }
    return chunk->size < ORDINARY_CHUNK_SIZE ? (uint16_t)chunk->size
                                             : ROOM_UNKNOWN;
}

/* `room` is the chunk_room of the stack's chunk. */
static inline void
datastack_load(const struct datastack *stack, uint16_t room,
               PyThreadState *tstate)
{
    _PyStackChunk *chunk = stack->chunk;
    assert(room == chunk_room(chunk));
    size_t size = room;
    if (!LIKELY(room != ROOM_UNKNOWN)) {
        size = chunk->size;
    }
    tstate->datastack_chunk = chunk;
    tstate->datastack_top = stack->top;
    tstate->datastack_limit = (PyObject **)((uintptr_t)chunk + size);
}

#endif
