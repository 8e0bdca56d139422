/* Root chunks are cut from slabs; see chunk_slab.h. */

#include "tstate.h"

#ifdef GREENLET_CPYTHON_DATASTACK_H

#include "chunk_slab.h"

#define SLAB_SIZE ((size_t)256 * 1024)

struct slab {
    struct slab **list;    /* where those of its class are that have chunks to
                              give */
    struct slab *next;     /* in that list */
    struct slab *previous; /* NULL in the first one */
    _PyStackChunk *free;
    unsigned int cut_count; /* the rest has never been used */
    unsigned int used_count;
    unsigned int capacity;
};

static_assert(sizeof(struct slab) < CHUNK_SMALLEST,
              "a slab begins with this instead of a chunk");

/* For each class the slabs with chunks to give, one that is empty perhaps among
   them.  Guarded by the GIL: chunks are made and freed where Python code could
   run. */
static struct slab *slabs[CHUNK_CLASSES];

/* A chunk's first slot, which the interpreter does not use, says whose it is. */
static struct slab **
chunk_slab(_PyStackChunk *chunk)
{
    return (struct slab **)&chunk->data[0];
}

static void
slab_link(struct slab *slab)
{
    slab->previous = NULL;
    slab->next = *slab->list;
    if (slab->next != NULL) {
        slab->next->previous = slab;
    }
    *slab->list = slab;
}

static void
slab_unlink(struct slab *slab)
{
    if (slab->previous != NULL) {
        slab->previous->next = slab->next;
    }
    else {
        *slab->list = slab->next;
    }
    if (slab->next != NULL) {
        slab->next->previous = slab->previous;
    }
}

static struct slab *
slab_new(int chunk_class)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    struct slab *slab = arena.alloc(arena.ctx, SLAB_SIZE);
    if (slab != NULL) {
        /* The end is only there to be readable, and never touched. */
        size_t room = SLAB_SIZE - ORDINARY_CHUNK_SIZE;
        slab->list = &slabs[chunk_class];
        slab->free = NULL;
        slab->cut_count = 0;
        slab->used_count = 0;
        slab->capacity = (unsigned)(room / chunk_class_size(chunk_class) - 1);
        slab_link(slab);
    }
    return slab;
}

_PyStackChunk *
slab_chunk_new(int chunk_class)
{
    size_t size = chunk_class_size(chunk_class);
    struct slab *slab = slabs[chunk_class];
    if (slab == NULL) {
        slab = slab_new(chunk_class);
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
        slab_unlink(slab);
    }
    return chunk;
}

void
slab_chunk_free(_PyStackChunk *chunk)
{
    struct slab *slab = *chunk_slab(chunk);
    *chunk_next(chunk) = slab->free;
    slab->free = chunk;
    if (slab->used_count == slab->capacity) {
        slab_link(slab);
    }
    slab->used_count--;
    bool is_only = slab->previous == NULL && slab->next == NULL;
    if (slab->used_count == 0 && !is_only) {
        slab_unlink(slab);
        PyObjectArenaAllocator arena;
        PyObject_GetArenaAllocator(&arena);
        arena.free(arena.ctx, slab, SLAB_SIZE);
    }
}

#endif
