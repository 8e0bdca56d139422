/* Root chunks are cut from slabs; see chunk_slab.h. */

#include "tstate.h"

#ifdef GREENLET_CPYTHON_DATASTACK_H

#include "chunk_slab.h"
#include "core/links.h"

#define SLAB_SIZE ((size_t)256 * 1024)

struct chunk_store {
    struct lock lock;
    /* For each class the slabs with free chunks, of which one may be unused. */
    struct links *lists[CHUNK_CLASSES];
    size_t count; /* of all slabs */
    bool is_closed;
};

struct slab {
    struct links links;
    struct chunk_store *store;
    struct links **list; /* of the store; this slab is in it if it has
                            free chunks */
    _PyStackChunk *free;
    unsigned int cut_count; /* the rest has never been used */
    unsigned int used_count;
    unsigned int capacity;
};

static_assert(sizeof(struct slab) < CHUNK_SMALLEST,
              "a slab begins with this instead of a chunk");

static struct chunk_store main_store;

/* A chunk's first slot, which the interpreter does not use, says whose it is. */
static struct slab **
chunk_slab(_PyStackChunk *chunk)
{
    return (struct slab **)&chunk->data[0];
}

static struct slab *
slab_new(struct chunk_store *store, int chunk_class)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    struct slab *slab = arena.alloc(arena.ctx, SLAB_SIZE);
    if (slab != NULL) {
        /* The end only has to be readable, and is never touched. */
        size_t room = SLAB_SIZE - ORDINARY_CHUNK_SIZE;
        store->count++;
        slab->store = store;
        slab->list = &store->lists[chunk_class];
        slab->free = NULL;
        slab->cut_count = 0;
        slab->used_count = 0;
        slab->capacity = (unsigned)(room / chunk_class_size(chunk_class) - 1);
        links_add(slab->list, &slab->links);
    }
    return slab;
}

/* Free a slab none of whose chunks is in use. */
static void
slab_delete(struct slab *slab)
{
    struct chunk_store *store = slab->store;
    links_remove(slab->list, &slab->links);
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    arena.free(arena.ctx, slab, SLAB_SIZE);
    store->count--;
}

/* Leave the lock, and free a store that is closed and has no slab any more. */
static void
store_leave(struct chunk_store *store)
{
    bool is_unused = store->is_closed && store->count == 0;
    lock_leave(&store->lock);
    if (is_unused) {
        PyMem_RawFree(store);
    }
}

int
chunk_store_open(struct chunk_store **store)
{
    *store = interpreter_runs_apart() ? PyMem_RawCalloc(1, sizeof **store)
                                      : &main_store;
    return *store != NULL ? 0 : -1;
}

void
chunk_store_close(struct chunk_store *store)
{
    if (store == NULL || store == &main_store) {
        return;
    }
    lock_take(&store->lock);
    store->is_closed = true;
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        struct links *links = store->lists[i];
        while (links != NULL) {
            struct slab *slab = (struct slab *)links;
            links = links->next;
            if (slab->used_count == 0) {
                slab_delete(slab);
            }
        }
    }
    store_leave(store);
}

static _PyStackChunk *
store_take_chunk(struct chunk_store *store, int chunk_class)
{
    size_t size = chunk_class_size(chunk_class);
    struct slab *slab = (struct slab *)store->lists[chunk_class];
    if (slab == NULL) {
        slab = slab_new(store, chunk_class);
    }
    if (slab == NULL) {
        return NULL;
    }
    _PyStackChunk *chunk = slab->free;
    if (chunk != NULL) {
        slab->free = *chunk_next(chunk);
    }
    else {
        slab->cut_count++;
        chunk = (_PyStackChunk *)((char *)slab + slab->cut_count * size);
        chunk->size = size;
        chunk->previous = NULL;
        *chunk_slab(chunk) = slab;
    }
    slab->used_count++;
    if (slab->used_count == slab->capacity) {
        links_remove(slab->list, &slab->links);
    }
    return chunk;
}

_PyStackChunk *
slab_chunk_new(struct chunk_store *store, int chunk_class)
{
    lock_take(&store->lock);
    _PyStackChunk *chunk = store_take_chunk(store, chunk_class);
    lock_leave(&store->lock);
    return chunk;
}

void
slab_chunk_free(_PyStackChunk *chunk)
{
    struct slab *slab = *chunk_slab(chunk);
    struct chunk_store *store = slab->store;
    lock_take(&store->lock);
    *chunk_next(chunk) = slab->free;
    slab->free = chunk;
    if (slab->used_count == slab->capacity) {
        links_add(slab->list, &slab->links);
    }
    slab->used_count--;
    if (slab->used_count == 0
        && (!links_are_only(&slab->links) || store->is_closed))
    {
        slab_delete(slab);
    }
    store_leave(store);
}

#endif
