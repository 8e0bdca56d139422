/* Stack slices: which bytes of the C stack a coroutine owns.

   A slice runs from `near` (the stack pointer at its last switch) to `far`
   (where the coroutine began).  "Nearer" means towards the stack pointer,
   whichever way the reader draws it.  Of a parked slice the nearest
   `saved_size` bytes are in a heap copy, or in memory that is lent for that (struct
   slice_room), the others still on the stack:

        near        near + saved_size                    far
         |  in the heap  |  on the stack, where they were  |

   Bytes are copied out only when another coroutine is about to need their
   place.  A new coroutine begins a little nearer than its starter, or in the
   place of a starter that dies, so that a long row of coroutines does not creep
   down the stack.  The slices that still have bytes on the stack form a chain,
   from the slice that ran there last to older and older slices.

   A slice may also have a stack that is only its own (mapped_stack.h).  No switch
   copies anything of it, it is in no chain, and a switch to it leaves the shared
   stack as it is.  While it is parked for long, that stack may be vacated
   (vacated.c): its bytes lie in the heap until the next switch to it.

   Invariants (slice_check proves them):
     - the current slice has nothing saved, and is the head of the chain unless
       it has a stack of its own;
     - a slice with a stack of its own has its bytes on that stack unless it is
       vacated, which the current slice never is;
     - along the chain `far` grows strictly;
     - what a slice still has on the stack begins no nearer than the `far` of
       the slice before it in the chain: no byte has two owners;
     - the thread's first slice never ends: its `far` is SLICE_NO_END, and it
       is the last of the chain.

   This file knows no Python.  The stack is assumed to grow downwards, as in
   every ABI in arch/. */

#ifndef GREENLET_CORE_SLICE_H
#define GREENLET_CORE_SLICE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "copy_store.h"
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
        struct heap_copy *copy;   /* owned, or NULL; if slice_is_vacated, never
                                     NULL: the stack's struct, its words packed */
        struct mapped_stack *own; /* owned; if `has_own_stack` otherwise */
    };
    struct slice *older; /* next in the chain; meaningless off the chain */
    union {
        uint32_t saved_size; /* how many bytes of the copy are valid */
        uint32_t rests;      /* if `has_own_stack`: 0, or the next switch to it
                                calls slice_wake: it is SLICE_VACATED, or what
                                the watch has noted of it */
    };
    uint8_t state; /* enum slice_state; other threads may read it */
    bool has_own_stack;
    bool is_first;      /* its thread's, see stack_init */
    uint8_t room_units; /* see struct slice_room */
#if HAS_FIBERS
    struct fiber fiber;
#endif
};

static inline size_t
slice_capacity(const struct slice *slice)
{
    return !slice->has_own_stack && slice->copy != NULL ? slice->copy->capacity
                                                        : 0;
}

/* Memory that a slice without a heap copy uses instead while it is parked: a region of
   `room_units` units from `low` on, of which others use what is before `unused`, until they
   resume the slice.  So the copy costs no memory of its own, and lies beside what is needed
   with it.  The slice's owner has this struct at a certain distance from each slice
   (stack->room_offset), with `unused` no lower than `low` even without any units. */
struct slice_room {
    char *low;
    char *unused; /* as aligned as a pointer */
};

#define ROOM_UNIT ((size_t)32)

/* How many whole units there are in a region of `size` bytes, or may be used. */
static inline uint8_t
room_units_of(size_t size)
{
    size_t units = size / ROOM_UNIT;
    return (uint8_t)(units < UINT8_MAX ? units : UINT8_MAX);
}

struct stack;

/* Called about a slice in the middle of a switch.  It must not switch. */
typedef void slice_witness(struct stack *stack, struct slice *slice);

/* Up to this many bytes a slice costs less memory in the heap than on a stack
   of its own, and hardly more time. */
#define SLICE_DEEP ((size_t)2048)

/* How many switches may pass until the watch is asked again. */
#define WATCH_INTERVAL 256U

struct stack {
    stack_landing *landing;  /* first: the assembly knows where it is */
    stack_entry *entry;      /* second, likewise; where new coroutines begin */
    struct slice *current;   /* whose code is running; other threads may
                                read it */
    struct slice *shared;    /* who was last on the shared stack: head of the
                                chain */
    struct slice *unreached; /* target of the last switch that failed */
    /* Either may be NULL: */
    slice_witness *evicting;  /* its first bytes are about to be copied */
    slice_witness *deepens;   /* more than SLICE_DEEP bytes are, for the first
                                time */
    slice_witness *cramped;   /* its bytes do not fit into its room */
    ptrdiff_t room_offset;    /* see struct slice_room */
    slice_witness *watch;     /* now and then, about the target of a switch: it
                                may vacate others, and set until_watch */
    unsigned until_watch;     /* how many switches, as far as they count */
    struct stack_pool pool;   /* of stacks of their own */
    struct copy_store copies; /* of slices */
#if SYSTEM_KNOWS_STACKS
    struct stack_limits
        limits; /* of the shared stack, while another is in use */
#endif
};

/* Make `first` the running slice of a thread, `entry` the first function of its
   other slices, and `landing` the function that switches end with.  `first` must
   outlive the other slices, and so must the stack, which stack_close empties.
   There are no witnesses yet, and the pool is empty. */
void stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
                stack_landing *landing);

/* The thread has ended: unmap what is idle, and from now on whatever slices give
   back, which any thread may do. */
void stack_close(struct stack *stack);

/* Make an unstarted slice, which owns nothing. */
static inline void
slice_init(struct slice *slice)
{
    memset(slice, 0, sizeof *slice);
}

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

/* What slice_release does for a slice that owns something. */
void slice_give_back(struct slice *slice);

/* Free the heap copy of an unstarted or dead slice, or give its stack back to
   the pool.  Idempotent. */
static inline void
slice_release(struct slice *slice)
{
    if (slice->copy != NULL) { /* or slice->own, in the same place */
        slice_give_back(slice);
    }
}

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

static inline struct slice_room
slice_room(const struct stack *stack, const struct slice *slice)
{
    struct slice_room room;
    memcpy(&room, (const char *)slice + stack->room_offset, sizeof room);
    return room;
}

/* Where the bytes are, or will be, that are saved of a slice. */
static inline char *
slice_copy_bytes(const struct stack *stack, const struct slice *slice)
{
    return LIKELY(slice->copy == NULL)
               ? copy_bytes_in(slice_room(stack, slice).unused, slice->near)
               : heap_copy_bytes(slice->copy, slice->near);
}

/* Have the processor fetch what a slice with a stack of its own reads first when it is
   resumed.  Up to STACKS_CACHED stacks are in its caches anyway. */
#define STACKS_CACHED ((size_t)32)

static ALWAYS_INLINE void
slice_fetch_stack(const struct stack *stack, const struct slice *slice)
{
    assert(slice->has_own_stack);
    if (stack->pool.used_count > STACKS_CACHED) {
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

/* The same for the copy of a parked slice without one, and for what is used last of `room`,
   which is the slice's.  For a thread that has more coroutines than SLICES_CACHED, whose copies
   are no longer in the processor's caches; a thread with fewer would only lose the time that
   this takes. */
#define SLICES_CACHED 2048U

void slice_fetch_copy(const struct slice *slice, struct slice_room room);

/* The two halves of a switch, called only by stack_switch.  stack_save makes
   the target the current slice.  NULL when out of memory: then the current
   slice stays current, and stack->unreached is the target.  stack_restore runs
   on the near side of the register frame at target->near, and returns where the
   bytes of that frame can be read, in place or in the heap copy.  NULL if the
   target is new. */
void *stack_save(struct stack *stack, struct slice *target, char *sp);
const char *stack_restore(struct stack *stack, struct slice *target);

/* Abort with a message if an invariant above does not hold, or would not when the state of a
   slice has moved. */
void slice_check(const struct stack *stack);
void slice_check_move(const struct slice *slice, enum slice_state to);

/* ---- Where the bytes go that are saved of a slice: slice.c, slice_copy.c, vacated.c ---- */

/* A copy larger than CAPACITY_KEPT is replaced when it is this many times
   larger than what it is to hold. */
#define CAPACITY_EXCESS ((size_t)8)
#define CAPACITY_KEPT ((size_t)4096)

/* The only function that reads or writes live frames of other coroutines, apart from those of
   packed_words.h. */
static inline void *
slice_copy(char *to, const char *from, size_t size)
{
    return memcpy(to, from, size);
}

/* Is there space for `size` bytes in what nobody else uses of the slice's room?  `*copy` is
   where they belong then. */
static inline bool
slice_fits_in_room(const struct stack *stack, const struct slice *slice,
                   size_t size, char **copy)
{
    struct slice_room room = slice_room(stack, slice);
    assert((uintptr_t)room.low <= (uintptr_t)room.unused);
    uintptr_t end = (uintptr_t)room.low + slice->room_units * ROOM_UNIT;
    *copy = copy_bytes_in(room.unused, slice->near);
    return (ptrdiff_t)size <= (ptrdiff_t)(end - (uintptr_t)*copy);
}

/* The same wherever they belong, and not if there is far too much space. */
static inline bool
slice_fits(const struct stack *stack, const struct slice *slice, size_t size,
           char **copy)
{
    if (slice->copy == NULL) {
        return slice_fits_in_room(stack, slice, size, copy);
    }
    size_t capacity = slice->copy->capacity;
    *copy = heap_copy_bytes(slice->copy, slice->near);
    return size <= capacity
           && (capacity <= CAPACITY_KEPT || capacity / CAPACITY_EXCESS <= size);
}

/* A copy for at least `size` bytes of a slice.  NULL when out of memory. */
struct heap_copy *slice_allocate(struct stack *stack, size_t size);

/* Make space for `size` bytes in a slice's copy, and keep the bytes saved so far.  -1 when out
   of memory. */
int slice_reserve(struct stack *stack, struct slice *slice, size_t size);

/* The nearest `size` bytes of a slice are about to be saved, of which `have` are already. */
static inline void
slice_note_saved(struct slice *slice, size_t have, size_t size)
{
    frames_forget(slice->near + have, slice->near + size);
    slice->saved_size = (uint32_t)size;
}

/* ---- Vacated stacks: their memory is the system's while their coroutines are parked ---- */

/* What is larger would take long to copy, and save little; the copy is in a slab with others. */
#define VACATED_LARGEST ((ptrdiff_t)28 * 1024)

/* No note is this, nor 0. */
#define SLICE_VACATED UINT32_MAX

/* Has it its own stack, but its bytes in the heap? */
static inline bool
slice_is_vacated(const struct slice *slice)
{
    return slice->has_own_stack && slice->rests == SLICE_VACATED;
}

/* Can the stack of a slice be vacated, in a switch to `target`? */
static inline bool
slice_can_vacate(const struct stack *stack, const struct slice *slice,
                 const struct slice *target)
{
    return SYSTEM_VACATES_STACKS && slice->has_own_stack
           && slice->rests != SLICE_VACATED && slice->state == SLICE_ACTIVE
           && slice != stack->current && slice != target
           && slice->far - slice->near <= VACATED_LARGEST;
}

/* Vacate it.  False if there is no memory for the copy: then all is as it was.  Takes some
   system calls. */
bool slice_vacate(struct stack *stack, struct slice *slice);

/* About a parked slice with a stack of its own that `rests`: it rests no more, and its bytes
   are on its stack.  -1, and nothing has changed, if there is no memory. */
int slice_wake(struct slice *slice);

/* The same as slice_give_back and slice_retire_stack, for a vacated slice. */
void slice_give_vacated(struct slice *slice);
void slice_retire_vacated(struct slice *slice);

#ifdef SLICE_FAIL_ALLOC
/* Test builds: how many allocations succeed before all others fail; negative
   for no limit. */
extern long slice_allocations_left;
#endif

#endif
