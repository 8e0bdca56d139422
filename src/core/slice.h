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
   form a chain, from the current one to ever older ones.

   Invariants (slice_check proves them):
     - the current slice is the head of the chain and has nothing saved;
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
    char *near;             /* stack pointer at the last switch away */
    char *far;              /* one past the farthest byte */
    struct heap_copy *copy; /* owned; NULL if there never was one */
    struct slice *older;    /* next in the chain; meaningless off the chain */
    uint32_t saved_size;    /* how many bytes of the copy are valid */
    enum slice_state state;
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
    return slice->copy != NULL ? slice->copy->capacity : 0;
}

struct stack {
    stack_landing *landing; /* first: the assembly knows where it is */
    struct slice *current;  /* whose code is running; head of the chain */
    struct slice *target;   /* argument of stack_switch */
    stack_entry *entry;     /* where a coroutine that is new begins */
};

/* Make `first` the running slice of a thread, `entry` what every other slice of
   it begins with, and `landing` what switches end with.  Nothing is owned;
   `first` must outlive all others. */
void stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
                stack_landing *landing);

/* Make an unstarted slice. */
void slice_init(struct slice *slice);

/* Say that a slice will never be resumed.  For the current one: the next
   stack_switch drops its bytes instead of saving them.  For another one: its
   whole stack is gone. */
void slice_die(struct slice *slice);

/* Give up the bytes of a parked slice, which will never be resumed: it
   leaves the chain and dies. */
void slice_drop(struct stack *stack, struct slice *slice);

/* Free the heap copy of a slice that is unstarted or dead. */
void slice_release(struct slice *slice);

/* How many bytes of a parked slice are safe from others: those in the heap
   copy, or at least the registers, which every switch saves. */
size_t slice_kept(const struct slice *slice);

/* A slice to which a switch needs no memory, for the current one that has to
   leave when none is left.  NULL if the current one is the thread's first. */
struct slice *stack_refuge(const struct stack *stack);

/* The two halves of a switch; called by stack_switch and nobody else.
   stack_save returns the stack pointer to go on with, or NULL when out of
   memory.  stack_restore runs on the far side of that stack pointer's frame,
   and returns the entry if the target is new, or NULL. */
char *stack_save(struct stack *stack, char *sp);
stack_entry *stack_restore(struct stack *stack);

/* Abort with a message if an invariant above does not hold. */
void slice_check(const struct stack *stack);

#ifdef SLICE_FAIL_ALLOC
/* Test builds: how many allocations succeed before one fails; negative for
   no failure. */
extern long slice_allocations_left;
#endif

#endif
