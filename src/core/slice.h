/* Stack slices: which bytes of the C stack a coroutine owns.

   A slice runs from `near` (the stack pointer at its last switch) to `far`
   (where the coroutine began).  "Nearer" means towards the stack pointer,
   whichever way the reader draws it.  Of a parked slice the nearest
   `saved_size` bytes are in a heap copy, the others still on the stack:

        near        near + saved_size                    far
         |  in the heap  |  on the stack, where they were  |

   Bytes are copied out only when another coroutine is about to need their
   place.  A new coroutine begins a little nearer than its starter, or in the
   place of a starter that dies, so that a long row of coroutines does not creep
   down the stack.  The slices that still have bytes on the stack form a chain,
   from the slice that ran there last to older and older slices.

   A slice may also have a stack that is only its own (mapped_stack.h).  Nothing
   of it is ever copied, it is in no chain, and a switch to it leaves the shared
   stack as it is.

   Invariants (slice_check proves them):
     - the current slice has nothing saved, and is the head of the chain unless
       it has a stack of its own;
     - a slice with a stack of its own has nothing saved, and its bytes are on
       that stack;
     - along the chain `far` grows strictly;
     - what a slice still has on the stack begins no nearer than the `far` of
       the slice before it in the chain: no byte has two owners;
     - the thread's first slice never ends: its `far` is SLICE_NO_END, and it
       is the last of the chain.

   This file knows no Python.  The stack is assumed to grow downwards, as in
   every ABI in arch/. */

#ifndef GREENLET_CORE_SLICE_H
#define GREENLET_CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "fibers.h"
#include "mapped_stack.h"
#include "switch.h"

#define SLICE_NO_END ((char *)UINTPTR_MAX)

/*      UNSTARTED --first switch to it--> ACTIVE --slice_die--> DEAD

   SLICE_CHECK builds abort at any other move. */
enum slice_state {
    SLICE_UNSTARTED,
    SLICE_ACTIVE,
    SLICE_DEAD,
};

struct slice {
    char *near; /* first: the assembly knows where it is; stack pointer at the
                   last switch away */
    char *far;  /* one past the farthest byte */
    union {
        struct heap_copy *copy;   /* owned, or NULL */
        struct mapped_stack *own; /* owned; if `has_own_stack` */
    };
    struct slice *older; /* next in the chain; meaningless off the chain */
    uint32_t saved_size; /* how many bytes of the copy are valid */
    uint8_t state;       /* enum slice_state */
    bool has_own_stack;
#if HAS_FIBERS
    struct fiber fiber;
#endif
};

/* A larger slice is never copied: a switch that would have to fails as if out
   of memory. */
#define SLICE_LARGEST ((size_t)INT32_MAX)

struct heap_copy {
    size_t capacity; /* how many bytes of a slice fit in */
    char memory[];   /* a gap and then these bytes: see heap_copy_bytes */
};

/* The bytes in a heap copy are as far from a multiple of this as they are on
   the stack, and coroutines begin at a multiple.  So no vector that memcpy
   moves is split between two cache lines or pages on one side only, which was
   seen to cost as much as the rest of the copying. */
#define CACHE_LINE ((size_t)64)

/* Where the bytes of a slice that begins at `near` are in its copy.  Stack
   pointers are multiples of a pointer's size, as `memory` is; so the gap is
   smaller than CACHE_LINE by at least that size. */
static inline char *
heap_copy_bytes(struct heap_copy *copy, const char *near)
{
    char *memory = copy->memory;
    return memory + ((uintptr_t)near - (uintptr_t)memory) % CACHE_LINE;
}

static inline char *
slice_copy_bytes(const struct slice *slice)
{
    return heap_copy_bytes(slice->copy, slice->near);
}

static inline size_t
slice_capacity(const struct slice *slice)
{
    return !slice->has_own_stack && slice->copy != NULL ? slice->copy->capacity
                                                        : 0;
}

struct stack;

/* Called about a slice in the middle of a switch.  It must not switch. */
typedef void slice_witness(struct stack *stack, struct slice *slice);

/* Up to this many bytes a slice costs less memory in the heap than on a stack
   of its own, and hardly more time. */
#define SLICE_DEEP ((size_t)2048)

struct stack {
    stack_landing *landing;  /* first: the assembly knows where it is */
    stack_entry *entry;      /* second, likewise; where new coroutines begin */
    struct slice *current;   /* whose code is running */
    struct slice *shared;    /* who was last on the shared stack: head of the
                                chain */
    struct slice *unreached; /* target of the last switch that failed */
    /* Either may be NULL: */
    slice_witness *evicting; /* its first bytes are about to be copied */
    slice_witness *deepens;  /* more than SLICE_DEEP bytes are, for the first
                                time */
    struct stack_pool pool;  /* of stacks of their own */
};

/* Make `first` the running slice of a thread, `entry` the first function of its
   other slices, and `landing` the function that switches end with.  Nothing is
   owned; `first` must outlive the other slices.  There are no witnesses yet,
   and the pool is empty. */
void stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
                stack_landing *landing);

/* Make an unstarted slice, which owns nothing. */
void slice_init(struct slice *slice);

/* Give an unstarted slice a stack of its own, from the pool, until
   slice_release or slice_retire_stack.  False if there is none: the slice stays
   as it was. */
bool slice_take_stack(struct stack *stack, struct slice *slice);

/* Mark a slice as dead: it will never be resumed.  If it is the current slice,
   the next stack_switch releases it, and drops its bytes instead of saving
   them.  If it is parked, its thread must be gone, and the shared stack with
   it. */
void slice_die(struct slice *slice);

/* The same for a parked slice of a thread that lives: it leaves the chain and
   dies.  slice_release frees what it owns. */
void slice_drop(struct stack *stack, struct slice *slice);

/* Free the heap copy of an unstarted or dead slice, or give its stack back to
   the pool.  Idempotent. */
void slice_release(struct slice *slice);

/* Take the stack of its own away from a dead slice, and let nobody use that
   stack again: C code may still know addresses on it. */
void slice_retire_stack(struct slice *slice);

/* How many bytes of a parked slice no other slice can overwrite: all of them on
   a stack of its own, otherwise what is in the heap copy, or the registers if
   that is more, since every switch saves them. */
size_t slice_kept(const struct slice *slice);

/* A slice, borrowed, to which a dead current slice can switch when no memory is
   left.  NULL if the current slice is the thread's first. */
struct slice *stack_refuge(const struct stack *stack);

/* Have the processor fetch what a slice reads first when it is resumed.  Up to
   STACKS_CACHED stacks of their own are in its caches anyway, and so are heap
   copies, which are denser. */
#define STACKS_CACHED ((size_t)32)

static ALWAYS_INLINE void
slice_prefetch(const struct stack *stack, const struct slice *slice)
{
    if (slice->has_own_stack && stack->pool.used_count > STACKS_CACHED) {
        /* These are the registers and most of the interpreter's frame.  With twice
           as many, a switch takes half as long again where a thousand stacks take
           turns: they push each other out of the cache.  The processor would
           mispredict the end of so short a loop. */
        UNROLL(8)
        for (size_t line = 0; line < 8; line++) {
            PREFETCH(slice->near + line * CACHE_LINE);
        }
    }
}

/* The two halves of a switch, called only by stack_switch.  stack_save makes
   the target the current slice.  NULL when out of memory: then the current
   slice stays current, and stack->unreached is the target.  stack_restore runs
   on the near side of the register frame at target->near, and returns where the
   bytes of that frame can be read, in place or in the heap copy.  NULL if the
   target is new. */
void *stack_save(struct stack *stack, struct slice *target, char *sp);
const char *stack_restore(struct stack *stack, struct slice *target);

/* Abort with a message if an invariant above does not hold. */
void slice_check(const struct stack *stack);

#ifdef SLICE_FAIL_ALLOC
/* Test builds: how many allocations succeed before all others fail; negative
   for no limit. */
extern long slice_allocations_left;
#endif

#endif
