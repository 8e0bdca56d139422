/* The memory of root chunks, see datastack.h.

   Profilers of other processes read the chunks of a thread.  They begin with as
   many bytes as an ordinary chunk has, and give up if they cannot have them; so
   each root chunk has that much memory behind its beginning.  And they follow
   `previous`, also in a chunk that has been freed meanwhile; so it is NULL
   there. */

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

/* A chunk with its size and no `previous`; NULL when out of memory, without an
   exception.  Memory that is free goes back to the system as soon as all chunks
   of a slab are. */
_PyStackChunk *slab_chunk_new(int chunk_class);
void slab_chunk_free(_PyStackChunk *chunk);

/* Where a free chunk may refer to the next one of a list. */
static inline _PyStackChunk **
chunk_next(_PyStackChunk *chunk)
{
    return (_PyStackChunk **)&chunk->data[1];
}

#endif
