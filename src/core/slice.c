/* Saving and restoring stack slices; slice.h has the picture.

   Hard modes, one macro each, for tests:
     SLICE_CHECK       prove the invariants at every switch
     SLICE_POISON      overwrite the bytes that a switch has vacated
     SLICE_SAVE_ALL    copy out whole slices, needed or not
     SLICE_FAIL_ALLOC  let the nth allocation fail */

#include "slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#  define NOT_INLINED __attribute__((noinline, cold))
/* What runs at every switch lies side by side. */
#  define HOT __attribute__((hot))
#else
#  define NOT_INLINED
#  define HOT
#endif

/* A copy this many times larger than what it holds is given back. */
#define CAPACITY_EXCESS ((size_t)8)
#define CAPACITY_KEPT ((size_t)4096)

/* A coroutine often switches to those that it has started from a little deeper
   in its stack than it started them: from a loop below a call or two of C.  What
   reaches into their place is copied at each switch.  So that much stays free,
   or this share of the starter's own slice, lest coroutines that start each
   other need far more stack than they use. */
#define GAP ((uintptr_t)1024)
#define GAP_SHARE ((uintptr_t)2)

#ifdef SLICE_FAIL_ALLOC
long slice_allocations_left = -1;

static void *
slice_malloc(size_t size)
{
    if (slice_allocations_left == 0) {
        return NULL;
    }
    if (slice_allocations_left > 0) {
        slice_allocations_left--;
    }
    return malloc(size);
}
#else
#define slice_malloc malloc
#endif

/* The only places where live frames of other coroutines are read and
   written. */
static void
slice_copy(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
}

static size_t
slice_size(const struct slice *slice)
{
    return (size_t)(slice->far - slice->near);
}

/* Is the copy far larger than what it is about to hold? */
static bool
slice_is_wasteful(const struct slice *slice, size_t size)
{
    size_t capacity = slice_capacity(slice);
    return capacity > CAPACITY_KEPT && capacity / CAPACITY_EXCESS > size;
}

/* Kept apart from slice_save, which is short because it runs at each switch. */
static NOT_INLINED int
slice_reserve(struct slice *slice, size_t size)
{
    struct heap_copy *before = slice->copy;
    struct heap_copy *copy = NULL;
    if (size <= SLICE_LARGEST) {
        /* That is room for `capacity` and the gap, too. */
        copy = slice_malloc(CACHE_LINE + size);
    }
    if (copy == NULL) {
        return size <= slice_capacity(slice) ? 0 : -1;
    }
    copy->capacity = size;
    if (slice->saved_size > 0) {
        memcpy(heap_copy_bytes(copy, slice->near),
               heap_copy_bytes(before, slice->near), slice->saved_size);
    }
    slice->copy = copy;
    free(before);
    return 0;
}

/* Copy out the bytes of `slice` that lie nearer than `limit`, beyond those
   that already are in the heap. */
static inline int
slice_save(struct slice *slice, const char *limit)
{
    ptrdiff_t wanted = limit - slice->near;
    if (wanted <= (ptrdiff_t)slice->saved_size) {
        return 0;
    }
    size_t size = (size_t)wanted;
    if ((size > slice_capacity(slice) || slice_is_wasteful(slice, size))
        && slice_reserve(slice, size) < 0)
    {
        return -1;
    }
    size_t have = slice->saved_size;
    slice->saved_size = (uint32_t)size;
    slice_copy(slice_copy_bytes(slice) + have, slice->near + have, size - have);
    return 0;
}

#ifdef SLICE_POISON
static void
poison(char *near, const char *far)
{
    if (near < far) {
        memset(near, 0xDB, (size_t)(far - near));
    }
}

/* Once the save has succeeded: nothing but the heap may be relied on.  Nearer
   than `sp` are the frames of this very switch. */
static void
stack_poison(const struct stack *stack, char *sp, const char *limit)
{
    struct slice *owner = stack->current;
    if (owner->state == SLICE_DEAD) {
        poison(sp, owner->far < limit ? owner->far : limit);
        owner = owner->older;
    }
    for (; owner != NULL; owner = owner->older) {
        poison(owner->near < sp ? sp : owner->near,
               owner->near + owner->saved_size);
        if (owner->far >= limit) {
            return;
        }
    }
}
#endif

static void
must(bool holds, const char *invariant, const void *left, const void *right)
{
    if (!holds) {
        fprintf(stderr, "slice_check: %s (%p, %p)\n", invariant, left, right);
        abort();
    }
}

static void
slice_move(struct slice *slice, enum slice_state to)
{
#ifdef SLICE_CHECK
    static const bool legal[][3] = {
        [SLICE_UNSTARTED] = {[SLICE_ACTIVE] = true},
        [SLICE_ACTIVE] = {[SLICE_DEAD] = true},
        [SLICE_DEAD] = {false},
    };
    must(legal[slice->state][to], "states move forwards", slice, NULL);
#endif
    slice->state = to;
}

void
stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
           stack_landing *landing)
{
    slice_init(first);
    first->far = SLICE_NO_END;
    slice_move(first, SLICE_ACTIVE);
    stack->landing = landing;
    stack->current = first;
    stack->target = NULL;
    stack->entry = entry;
}

void
slice_init(struct slice *slice)
{
    memset(slice, 0, sizeof *slice);
}

void
slice_die(struct slice *slice)
{
    slice_move(slice, SLICE_DEAD);
}

void
slice_drop(struct stack *stack, struct slice *slice)
{
    struct slice **link = &stack->current->older;
    while (*link != NULL && *link != slice) {
        link = &(*link)->older;
    }
    if (*link != NULL) {
        *link = slice->older;
    }
    slice_move(slice, SLICE_DEAD);
}

void
slice_release(struct slice *slice)
{
    struct heap_copy *copy = slice->copy;
    slice->copy = NULL;
    slice->saved_size = 0;
    free(copy);
}

size_t
slice_kept(const struct slice *slice)
{
    return slice->saved_size > stack_frame_size ? slice->saved_size
                                                : stack_frame_size;
}

struct slice *
stack_refuge(const struct stack *stack)
{
    return stack->current->older;
}

/* Does all of `owner` lie where the target's bytes belong? */
static inline bool
slice_is_in_the_way(const struct slice *owner, const struct slice *target)
{
#ifdef SLICE_SAVE_ALL
    if (owner->far != SLICE_NO_END) {
        return true;
    }
#endif
    return owner->far <= target->far;
}

/* Copy out what the target is going to overwrite of all slices of the chain
   from `owner` on, and make the target the one before those that stay.  -1 when
   out of memory. */
static inline int
chain_evict(struct slice *owner, struct slice *target)
{
    for (; owner != target; owner = owner->older) {
        const char *limit
            = slice_is_in_the_way(owner, target) ? owner->far : target->far;
        if (slice_save(owner, limit) < 0) {
            return -1;
        }
        if (!slice_is_in_the_way(owner, target)) {
            target->older = owner;
            break;
        }
    }
    return 0;
}

/* Where a coroutine begins that `starter` starts at stack pointer `sp`: with a
   gap between the two. */
static inline char *
stack_base(const struct slice *starter, const char *sp)
{
    uintptr_t gap = ((uintptr_t)starter->far - (uintptr_t)sp) / GAP_SHARE;
    uintptr_t base = (uintptr_t)sp - (gap < GAP ? gap : GAP);
    return (char *)(base - base % CACHE_LINE);
}

HOT char *
stack_save(struct stack *stack, char *sp)
{
    struct slice *current = stack->current;
    struct slice *target = stack->target;
    struct slice *owner = current;

    if (target->state == SLICE_UNSTARTED) {
        char *base = current->state == SLICE_DEAD ? current->far
                                                  : stack_base(current, sp);
        target->near = base;
        target->far = base;
    }
    if (current->state == SLICE_DEAD) {
        owner = current->older;
    }
    else {
        current->near = sp;
    }
    if (chain_evict(owner, target) < 0) {
        current->saved_size = 0;
        return NULL;
    }
#ifdef SLICE_POISON
    stack_poison(stack, sp, target->far);
#endif
    stack->current = target;
    return target->near;
}

HOT stack_entry *
stack_restore(struct stack *stack)
{
    struct slice *target = stack->current;
    stack_entry *entry = NULL;

    if (target->state == SLICE_UNSTARTED) {
        slice_move(target, SLICE_ACTIVE);
        entry = stack->entry;
    }
    if (target->saved_size > 0) {
        slice_copy(target->near, slice_copy_bytes(target), target->saved_size);
        target->saved_size = 0;
    }
#ifdef SLICE_CHECK
    slice_check(stack);
#endif
    return entry;
}

void
slice_check(const struct stack *stack)
{
    const struct slice *slice = stack->current;
    must(slice->saved_size == 0, "the current slice has nothing saved", slice,
         slice->copy);
    for (; slice->older != NULL; slice = slice->older) {
        const struct slice *older = slice->older;
        const char *older_near = older->near + older->saved_size;
        must(slice->state == SLICE_ACTIVE, "on the chain means active", slice,
             older);
        must(slice->far < older->far, "far grows along the chain", slice->far,
             older->far);
        must(older->saved_size <= slice_size(older),
             "no more is saved than there is", older->near, older->far);
        must(slice->far <= older_near, "no byte has two owners", slice->far,
             older_near);
    }
    must(slice->far == SLICE_NO_END, "the first slice ends the chain", slice,
         slice->far);
}
