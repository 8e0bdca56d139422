/* Root chunks, and the cache of the interpreter's chunks; see datastack.h. */

#include "core/compiler.h"
#include "tstate.h"

#ifdef GREENLET_CPYTHON_DATASTACK_H

#include <stdatomic.h>

/* Free root chunks of the smallest class kept per thread, fewer of the larger ones:
   enough for a hub that starts and ends greenlets in turn, small enough not to
   hold a burst's memory. */
#define POOL_LIMIT 64U

/* How many of the interpreter's smallest chunks are kept. */
#define CACHE_SLOTS 16

/* What chunk_class_of returns for more than the smallest chunk holds. */
static NOT_INLINED int
larger_class_of(size_t size)
{
    int found = 1;
    while (found < CHUNK_CLASSES && chunk_class_size(found) < size) {
        found++;
    }
    return found < CHUNK_CLASSES ? found : 0;
}

/* The smallest class whose chunks have at least `size` bytes.  If there is
   none, the smallest class: such frames get a chunk of the interpreter's
   anyhow. */
static inline int
chunk_class_of(size_t size)
{
    return LIKELY(size <= chunk_class_size(0)) ? 0 : larger_class_of(size);
}

HOT int
datastack_new(struct datastack *stack, struct chunk_pool *pool, size_t size)
{
    int chunk_class = chunk_class_of(size);
    _PyStackChunk *chunk = pool->free[chunk_class];
    if (chunk != NULL) {
        pool->free[chunk_class] = *chunk_next(chunk);
        pool->count[chunk_class]--;
    }
    else {
        chunk = slab_chunk_new(pool->store, chunk_class);
        if (chunk == NULL) {
            return -1;
        }
    }
    chunk->top = 0;
    stack->chunk = chunk;
    stack->top = &chunk->data[1];
    return 0;
}

size_t
datastack_needed(const _PyStackChunk *chunk, PyObject *const *top)
{
    ptrdiff_t needed = (const char *)top - (const char *)chunk;
    for (chunk = chunk->previous; chunk != NULL; chunk = chunk->previous) {
        const char *end = (const char *)&chunk->data[chunk->top];
        needed += end - (const char *)chunk;
    }
    return (size_t)needed;
}

static void
root_chunk_free(_PyStackChunk *chunk, struct chunk_pool *pool)
{
    int chunk_class = chunk_class_of(chunk->size);
    unsigned int limit = POOL_LIMIT >> (chunk_class + 3) / 4;
    if (pool == NULL || pool->count[chunk_class] >= limit) {
        slab_chunk_free(chunk);
        return;
    }
    *chunk_next(chunk) = pool->free[chunk_class];
    pool->free[chunk_class] = chunk;
    pool->count[chunk_class]++;
}

/* Free all chunks but the root chunk, which is returned.  Kept apart, since the
   interpreter takes a lock of the whole process to tell its allocator. */
static OUT_OF_LINE _PyStackChunk *
free_further_chunks(_PyStackChunk *chunk)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    while (chunk->previous != NULL) {
        _PyStackChunk *previous = chunk->previous;
        arena.free(arena.ctx, chunk, chunk->size);
        chunk = previous;
    }
    return chunk;
}

HOT void
chunks_free(_PyStackChunk *chunk, struct chunk_pool *pool)
{
    if (chunk->previous != NULL) {
        chunk = free_further_chunks(chunk);
    }
    root_chunk_free(chunk, pool);
}

void
chunk_pool_init(struct chunk_pool *pool, struct chunk_store *store)
{
    *pool = (struct chunk_pool){.store = store};
}

void
chunk_pool_clear(struct chunk_pool *pool)
{
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        while (pool->free[i] != NULL) {
            _PyStackChunk *chunk = pool->free[i];
            pool->free[i] = *chunk_next(chunk);
            slab_chunk_free(chunk);
        }
        pool->count[i] = 0;
    }
}

/* The cache: any thread of any interpreter takes from and puts into slots by
   exchanging single pointers, so that no lock is needed.  Chunks that were
   mapped before the cache existed may be put in: the allocator under the cache
   has mapped them.  Threads of interpreters with GILs of their own may be
   calling the allocator while it is exchanged; the interpreter stores the two
   functions one after the other, and either pair is right.  The fences are for
   `cache_under`: a thread that finds one of our functions finds that, too. */
static _Atomic(void *) cache_slots[CACHE_SLOTS];
static PyObjectArenaAllocator cache_under;

static void *
cache_alloc(void *ctx, size_t size)
{
    atomic_thread_fence(memory_order_acquire);
    if (size == ORDINARY_CHUNK_SIZE) {
        for (int i = 0; i < CACHE_SLOTS; i++) {
            if (atomic_load_explicit(&cache_slots[i], memory_order_relaxed)
                == NULL)
            {
                continue;
            }
            void *chunk = atomic_exchange(&cache_slots[i], NULL);
            if (chunk != NULL) {
                return chunk;
            }
        }
    }
    return cache_under.alloc(ctx, size);
}

static void
cache_free(void *ctx, void *chunk, size_t size)
{
    atomic_thread_fence(memory_order_acquire);
    if (size == ORDINARY_CHUNK_SIZE) {
        for (int i = 0; i < CACHE_SLOTS; i++) {
            void *expected = NULL;
            if (atomic_compare_exchange_strong(&cache_slots[i], &expected,
                                               chunk))
            {
                return;
            }
        }
    }
    cache_under.free(ctx, chunk, size);
}

void
chunk_cache_install(void)
{
    static atomic_flag installed = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&installed)) {
        return;
    }
    PyObject_GetArenaAllocator(&cache_under);
    PyObjectArenaAllocator cache = {
        .ctx = cache_under.ctx,
        .alloc = cache_alloc,
        .free = cache_free,
    };
    atomic_thread_fence(memory_order_release);
    PyObject_SetArenaAllocator(&cache);
}

#endif
