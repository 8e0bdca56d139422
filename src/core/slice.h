/* Stack slices: which bytes of the C stack a coroutine owns.

   A slice runs from `near` (the stack pointer at its last switch) to `far`
   (where the coroutine began).  "Nearer" means towards the stack pointer,
   whichever way the reader draws it.  Of a parked slice the nearest
   `saved_size` bytes are in a heap copy, the others still on the stack:

        near        near + saved_size                    far
         |  in the heap  |  on the stack, where they were  |

   Bytes are copied out only when another coroutine is about to need their
   place.  A new coroutine begins a little nearer than the one that starts it,
   or in the place of one that starts it by dying, so that a long row of them
   does not creep down the stack.  The slices that still have bytes on the stack
   form a chain, from the one that was there last to ever older ones.

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

   This file knows no Python.  The stack is taken to grow downwards, as it
   does on every ABI in arch/. */

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

   No other move is legal; SLICE_CHECK builds abort at one. */
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
        struct heap_copy *copy;   /* owned; NULL if there never was one */
        struct mapped_stack *own; /* owned; if `has_own_stack` */
    };
    struct slice *older; /* next in the chain; meaningless off the chain */
    uint32_t saved_size; /* how many bytes of the copy are valid */
    uint8_t state;       /* enum slice_state */
    bool has_own_stack;
#ifdef HAS_FIBERS
    struct fiber fiber;
#endif
};

/* No larger one is ever copied: that is taken for lack of memory. */
#define SLICE_LARGEST ((size_t)INT32_MAX)

struct heap_copy {
    size_t capacity; /* how many bytes of a slice there is room for */
    char memory[];   /* these bytes, behind a gap: see heap_copy_bytes */
};

/* A heap copy lies as far from a multiple of this as the bytes on the stack do,
   and coroutines begin at one: whatever vectors memcpy copies by, none is split
   between two lines of the cache or two pages, which has been seen to cost as
   much as the rest of the copying. */
#define CACHE_LINE ((size_t)64)

/* Where the bytes of a slice that begins at `near` are in its copy.  Stack
   pointers are multiples of a pointer's size, as `memory` is; so the gap is
   smaller than CACHE_LINE by that much at least. */
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

/* Is told something of a slice in the middle of a switch.  It must not switch. */
typedef void slice_witness(struct stack *stack, struct slice *slice);

/* Smaller ones cost less in the heap than on a stack of their own, and hardly
   more time. */
#define SLICE_DEEP ((size_t)2048)

struct stack {
    stack_landing *landing;  /* first: the assembly knows where it is */
    stack_entry *entry;      /* second, likewise; where new coroutines begin */
    struct slice *current;   /* whose code is running */
    struct slice *shared;    /* who was last on the shared stack: head of the
                                chain */
    struct slice *unreached; /* target of the last switch that failed */
    /* Both may be NULL: */
    slice_witness *evicting; /* the first of its bytes are going to be copied */
    slice_witness *deepens;  /* more than SLICE_DEEP bytes are, for the first
                                time */
    struct stack_pool pool;  /* of stacks of their own */
};

/* Make `first` the running slice of a thread, `entry` what every other slice of
   it begins with, and `landing` what switches end with.  Nothing is owned;
   `first` must outlive all others.  There are no witnesses at first, and the pool is
   empty. */
void stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
                stack_landing *landing);

/* Make an unstarted slice. */
void slice_init(struct slice *slice);

/* Give an unstarted slice a stack of its own, from the pool.  Returns whether there
   was one; if not, it stays as it was. */
bool slice_take_stack(struct stack *stack, struct slice *slice);

/* Say that a slice will never be resumed.  For the current one: the next
   stack_switch releases it, and drops its bytes instead of saving them.  For
   another one: the thread is gone, and the shared stack with it. */
void slice_die(struct slice *slice);

/* Give up the bytes of a parked slice, which will never be resumed: it
   leaves the chain and dies. */
void slice_drop(struct stack *stack, struct slice *slice);

/* Free the heap copy of a slice that is unstarted or dead, or give its stack back
   to the pool. */
void slice_release(struct slice *slice);

/* How many bytes of a parked slice are safe from others: those in the heap
   copy, or at least the registers, which every switch saves; all, if it has
   a stack of its own. */
size_t slice_kept(const struct slice *slice);

/* A slice to which a switch needs no memory, for the current one that has to
   leave when none is left.  NULL if the current one is the thread's first. */
struct slice *stack_refuge(const struct stack *stack);

/* Have the processor fetch what a slice needs as soon as it is resumed.  A few
   stacks of their own are in its cache anyway; slices are, since they are
   denser. */
#define STACKS_CACHED ((size_t)32)

static ALWAYS_INLINE void
slice_prefetch(const struct stack *stack, const struct slice *slice)
{
    if (slice->has_own_stack && stack->pool.used_count > STACKS_CACHED) {
        /* The end of a short loop would be foreseen wrongly nearly each time. */
        UNROLL(16)
        for (size_t line = 0; line < 16; line++) {
            PREFETCH(slice->near + line * CACHE_LINE);
        }
    }
}

/* The two halves of a switch; called by stack_switch and nobody else.
   stack_save makes the target the current slice, or returns NULL when out of
   memory.  stack_restore runs on the far side of the frame at the target's stack
   pointer, and returns where that frame's bytes can be read, in place or in the heap
   copy.  NULL if the target is new. */
void *stack_save(struct stack *stack, struct slice *target, char *sp);
const char *stack_restore(struct stack *stack, struct slice *target);

/* Abort with a message if an invariant above does not hold. */
void slice_check(const struct stack *stack);

#ifdef SLICE_FAIL_ALLOC
/* Test builds: how many allocations succeed before one fails; negative for
   no failure. */
extern long slice_allocations_left;
#endif

#endif
