/* The memory of root chunks, see datastack.h.

   Profilers of other processes read the chunks of a thread.  They first read as
   many bytes as an ordinary chunk has, and give up if they cannot; so
   ORDINARY_CHUNK_SIZE bytes from the beginning of each root chunk are readable.
   They also follow `previous`, even in a chunk that has been freed meanwhile;
   so it is NULL there.

   Slabs are kept in a store.  Each GIL has one, which it guards; without GILs each
   interpreter has one, with a lock.  The store of the main interpreter lasts as long
   as the process; the store of an interpreter that runs apart until the interpreter has
   closed it and the last chunk is free, which may be later. */

#ifndef GREENLET_CPYTHON_CHUNK_SLAB_H
#define GREENLET_CPYTHON_CHUNK_SLAB_H

#include <Python.h>

/* The smallest chunk that the interpreter makes. */
#define ORDINARY_CHUNK_SIZE ((size_t)16 * 1024)

/* The number of classes of chunks: of 832, 1040, 1248, 1456, 1664, 2080 bytes and so on. */
#define CHUNK_CLASSES 17

/* The smallest chunk holds some five frames.  An odd number of cache lines, so that
   the frames of many greenlets do not contend for the same few sets of the
   processor's caches. */
#define CHUNK_SMALLEST ((size_t)13 * 64)

static inline size_t
chunk_class_size(int chunk_class)
{
    size_t doubled = CHUNK_SMALLEST << chunk_class / 4;
    return doubled / 4 * (4 + (size_t)chunk_class % 4);
}

struct chunk_store;

/* Find the store of the calling interpreter; an interpreter that runs apart from the
   main one makes it, once, and closes it.  -1 when out of memory, without an
   exception.  Closing does nothing to other stores, nor to NULL. */
int chunk_store_open(struct chunk_store **store);
void chunk_store_close(struct chunk_store *store);

/* A chunk with its size and no `previous`, the caller's until slab_chunk_free;
   NULL when out of memory, without an exception.  A slab goes back to the
   system as soon as all its chunks are free, unless no other slab of its class
   has free chunks.  Call both with the GIL, if there is one. */
_PyStackChunk *slab_chunk_new(struct chunk_store *store, int chunk_class);
void slab_chunk_free(_PyStackChunk *chunk);

/* Where a free chunk may refer to the next one of a list. */
static inline _PyStackChunk **
chunk_next(_PyStackChunk *chunk)
{
    return (_PyStackChunk **)&chunk->data[1];
}

#endif
