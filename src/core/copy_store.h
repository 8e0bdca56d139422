/* The memory of heap copies.

   A store cuts copies from slabs, regions of memory that it maps and unmaps itself: so
   what a burst of coroutines has taken goes back to the system as they end, at a cost
   that does not depend on what else is in the process's heap.

       slab:  | struct | copy | copy | ... | copy | never used yet |

   All copies of a slab are of one class of sizes.  A slab without copies in use is
   unmapped, unless it is the only one of its class with free places.  Copies that are
   larger than the largest class have a slab each.

   A store belongs to one thread, and takes no locks: only that thread takes copies, and
   gives them back; another may while the owner cannot run.  Once the owner has ended and
   closed the store, any thread may give back.  A store must outlive its copies.

   Where a tool knows each block of malloc's (valgrind, AddressSanitizer), copies are such
   blocks. */

#ifndef GREENLET_CORE_COPY_STORE_H
#define GREENLET_CORE_COPY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "links.h"

struct heap_copy {
    uint32_t capacity; /* how many bytes of a slice fit in */
    uint32_t place;    /* where in its slab; 0 for a block of malloc's */
    char memory[];     /* a gap and then these bytes: see heap_copy_bytes */
};

/* The bytes in a heap copy are as far from a multiple of this as they are on
   the stack, and coroutines begin at a multiple.  So no vector that memcpy
   moves is split between two cache lines or pages on one side only, which was
   seen to cost as much as the rest of the copying. */
#define CACHE_LINE ((size_t)64)

/* Where the bytes of a slice that begins at `near` are in `memory`.  Stack
   pointers are multiples of a pointer's size, as `memory` is; so the gap is
   smaller than CACHE_LINE by at least that size (COPY_OVERHEAD). */
static inline char *
copy_bytes_in(char *memory, const char *near)
{
    uintptr_t gap = ((uintptr_t)near - (uintptr_t)memory) % CACHE_LINE;
    return (char *)((uintptr_t)memory + gap); /* there may be no memory */
}

static inline char *
heap_copy_bytes(struct heap_copy *copy, const char *near)
{
    return copy_bytes_in(copy->memory, near);
}

/* What a copy takes beside its capacity, the gap included. */
#define COPY_OVERHEAD (sizeof(struct heap_copy) + CACHE_LINE - sizeof(void *))

/* A larger slice is never copied: a switch that would have to fails as if out of
   memory. */
#define COPY_LARGEST ((size_t)INT32_MAX)

/* Classes from 64 to 1024 bytes in steps of 64, and from there on in steps of a sixteenth up
   to some 32 KiB. */
#define COPY_CLASSES 66

struct copy_store {
    /* For each class the slabs with free places. */
    struct links *lists[COPY_CLASSES];
    bool is_closed;
};

/* A copy that holds at least `size` bytes, the caller's until copy_give; NULL when out of
   memory, and for a size that no copy can have. */
struct heap_copy *copy_take(struct copy_store *store, size_t size);

/* Give a copy back; NULL does nothing. */
void copy_give(struct heap_copy *copy);

/* The owner has ended.  From now on slabs are unmapped with their last copy. */
void copy_store_close(struct copy_store *store);

/* How many bytes the process has mapped for slabs. */
size_t copy_bytes_mapped(void);

#endif
