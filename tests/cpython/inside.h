/* What tests must know of the inside of chunk_slab.c and datastack.c, and walkers that
   prove what both promise.  They abort where it does not hold. */

#ifndef GREENLET_TESTS_CPYTHON_INSIDE_H
#define GREENLET_TESTS_CPYTHON_INSIDE_H

#include <Python.h>

#include <stdbool.h>

#include "cpython/datastack.h"

/* Give the thread state a data stack, whatever its newest chunk is. */
static inline void
inside_load(const struct datastack *stack, PyThreadState *tstate)
{
    datastack_load(stack, chunk_room(stack->chunk), tstate);
}

extern const size_t inside_slab_size;

/* How many free chunks of this class a pool keeps. */
unsigned inside_pool_limit(int chunk_class);

/* How many chunks the cache keeps. */
extern const unsigned inside_cache_slots;

/* Whether the cache would call itself for what it does not have. */
bool inside_cache_is_circular(void);

/* How many chunks a slab of this class has. */
unsigned inside_capacity(int chunk_class);

/* A store that can be closed, as that of an interpreter with a GIL of its own. */
struct chunk_store *store_make(void);

/* Close it: with the last chunk, which may be free already, all its memory is gone. */
void store_end(struct chunk_store *store);

/* Prove all that a store promises of its slabs, which are found among the blocks of
   memory.h. */
void store_check(struct chunk_store *store);

/* How many chunks of a store are given out. */
unsigned store_used(struct chunk_store *store);

/* Whether a chunk of this class can be had without another slab. */
bool store_has_room(struct chunk_store *store, int chunk_class);

/* Watch memory strictly, and make a store and an empty pool that takes chunks from it. */
struct chunk_store *pool_begin(struct chunk_pool *pool);

/* Clear the pool: then no chunk may be given out.  End its store, and the watch. */
void pool_end(struct chunk_pool *pool);

/* Prove that what a pool holds is of its store, and as many as it says. */
void pool_check(struct chunk_pool *pool);

#endif
