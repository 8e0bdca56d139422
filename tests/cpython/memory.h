/* The interpreter's arena and raw allocators, watched: each block is known, what is given
   back must be one of them and of its size, and any allocation can be made to fail.

   What was allocated is filled with a pattern, so that nothing can count on zeros. */

#ifndef GREENLET_TESTS_CPYTHON_MEMORY_H
#define GREENLET_TESTS_CPYTHON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define MEMORY_PATTERN 0xA5

struct memory_block {
    char *address;
    size_t size;
};

/* From now on.  If it is strict, no Python code may run meanwhile: whatever is given back must
   have been allocated since, and the arenas are malloc's, since the interpreter's functions
   want a thread state. */
void memory_watch(bool is_strict);
void memory_unwatch(void);

/* Let `count` allocations succeed, and none after them; all if negative. */
void memory_fail_after(long count);
/* Whether an allocation has failed since that was said. */
bool memory_has_failed(void);

/* The arena blocks that were allocated since, and not yet given back. */
unsigned memory_block_count(void);
struct memory_block memory_block(unsigned index);
/* How many of them are of this size. */
unsigned memory_blocks_of(size_t size);
/* How many arena blocks of this size were asked for. */
unsigned long memory_allocations_of(size_t size);
/* The block around an address; there must be one. */
struct memory_block memory_block_around(const void *address);
/* The raw blocks, in the same sense. */
long memory_raw_count(void);

#endif
