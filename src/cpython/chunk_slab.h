/* The memory of root chunks, see datastack.h.

   Profilers of other processes read the chunks of a thread.  They begin with as
   many bytes as an ordinary chunk has, and give up if they cannot have them; so
   each root chunk has that much memory behind its beginning.  And they follow
   `previous`, also in a chunk that has been freed meanwhile; so it is NULL
   there.

   Slabs are kept in a store.  Each GIL has one, which it guards: that of the main
   interpreter, and of those that share its GIL, lasts as long as the process; that of
   an interpreter with a GIL of its own until the interpreter has closed it and the
   last chunk is free, which may be later. */

#ifndef GREENLET_CPYTHON_CHUNK_SLAB_H
#define GREENLET_CPYTHON_CHUNK_SLAB_H

#include <Python.h>

/* The smallest chunk that the interpreter makes. */
#define ORDINARY_CHUNK_SIZE ((size_t)16 * 1024)

/* Chunks come in so many classes: 800, 1200, 1600, 2400 bytes and so on. */
#define CHUNK_CLASSES 9

/* The smallest one holds some five frames.  No power of two, so that the frames
   of many greenlets do not contend for the same few sets of the processor's
   caches. */
#define CHUNK_SMALLEST ((size_t)800)

static inline size_t
chunk_class_size(int chunk_class)
{
    size_t doubled = CHUNK_SMALLEST << chunk_class / 2;
    return chunk_class % 2 == 0 ? doubled : doubled / 2 * 3;
}

struct chunk_store;

/* The store of the calling interpreter's GIL.  One that has a GIL of its own opens it
   once, and closes it.  -1 when out of memory, without an exception. */
int chunk_store_open(struct chunk_store **store);
void chunk_store_close(struct chunk_store *store);

/* A chunk with its size and no `previous`; NULL when out of memory, without an
   exception.  Memory that is free goes back to the system as soon as all chunks
   of a slab are.  Chunks are made and freed where Python code could run. */
_PyStackChunk *slab_chunk_new(struct chunk_store *store, int chunk_class);
void slab_chunk_free(_PyStackChunk *chunk);

/* Where a free chunk may refer to the next one of a list. */
static inline _PyStackChunk **
chunk_next(_PyStackChunk *chunk)
{
    return (_PyStackChunk **)&chunk->data[1];
}

#endif
