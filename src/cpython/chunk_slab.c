/* Root chunks are cut from slabs; see chunk_slab.h. */

#include "tstate.h"

#ifdef GREENLET_CPYTHON_DATASTACK_H

#include "chunk_slab.h"

/* Holds some five frames.  No power of two, so that the frames of many greenlets
   do not contend for the same few sets of the processor's caches. */
#define ROOT_CHUNK_SIZE ((size_t)800)

/* The end of a slab is only there to be readable, and never touched. */
#define SLAB_SIZE ((size_t)256 * 1024)
#define SLAB_CHUNKS ((SLAB_SIZE - ORDINARY_CHUNK_SIZE) / ROOT_CHUNK_SIZE - 1)

struct slab {
    struct slab *next;     /* in the list of those with chunks to give */
    struct slab *previous; /* NULL in the first one */
    _PyStackChunk *free;
    unsigned int cut_count; /* the rest has never been used */
    unsigned int used_count;
};

static_assert(sizeof(struct slab) < ROOT_CHUNK_SIZE,
              "a slab begins with this instead of a chunk");

/* Slabs with chunks to give, one that is empty perhaps among them.  Guarded by
   the GIL: chunks are made and freed where Python code could run. */
static struct slab *slabs;

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
    slab->next = slabs;
    if (slabs != NULL) {
        slabs->previous = slab;
    }
    slabs = slab;
}

static void
slab_unlink(struct slab *slab)
{
    if (slab->previous != NULL) {
        slab->previous->next = slab->next;
    }
    else {
        slabs = slab->next;
    }
    if (slab->next != NULL) {
        slab->next->previous = slab->previous;
    }
}

static struct slab *
slab_new(void)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    struct slab *slab = arena.alloc(arena.ctx, SLAB_SIZE);
    if (slab != NULL) {
        slab->free = NULL;
        slab->cut_count = 0;
        slab->used_count = 0;
        slab_link(slab);
    }
    return slab;
}

_PyStackChunk *
slab_chunk_new(void)
{
    struct slab *slab = slabs != NULL ? slabs : slab_new();
    if (slab == NULL) {
        return NULL;
    }
    _PyStackChunk *chunk = slab->free;
    if (chunk != NULL) {
        slab->free = *chunk_next(chunk);
    }
    else {
        slab->cut_count++;
        chunk = (_PyStackChunk *)((char *)slab
                                  + slab->cut_count * ROOT_CHUNK_SIZE);
        chunk->size = ROOT_CHUNK_SIZE;
        chunk->previous = NULL;
        *chunk_slab(chunk) = slab;
    }
    slab->used_count++;
    if (slab->used_count == SLAB_CHUNKS) {
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
    if (slab->used_count == SLAB_CHUNKS) {
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
