/* Saving and restoring stack slices; slice.h has the picture.

   Hard modes, one macro each, for tests:
     SLICE_CHECK       prove the invariants at every switch
     SLICE_POISON      overwrite the bytes that a switch has vacated
     SLICE_SAVE_ALL    copy out whole slices, needed or not
     SLICE_FAIL_ALLOC  let all allocations but the first n fail */

#include "slice.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

/* A copy larger than CAPACITY_KEPT is replaced when it is this many times
   larger than what it is to hold. */
#define CAPACITY_EXCESS ((size_t)8)
#define CAPACITY_KEPT ((size_t)4096)

/* A coroutine often switches to the coroutines that it has started from a
   little deeper in its stack: from a loop below a call or two of C.  What
   reached into their place would be copied at each switch.  So GAP bytes stay
   free, but no more than the starter's slice divided by GAP_SHARE, or
   coroutines that start each other would need far more stack than they use. */
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

/* The only function that reads or writes live frames of other coroutines. */
static void *
slice_copy(char *to, const char *from, size_t size)
{
    return memcpy(to, from, size);
}

static size_t
slice_size(const struct slice *slice)
{
    return (size_t)(slice->far - slice->near);
}

/* Is the copy large enough, and not far too large, for `size` bytes? */
static inline bool
slice_fits(const struct slice *slice, size_t size)
{
    size_t capacity = slice_capacity(slice);
    return size <= capacity
           && (capacity <= CAPACITY_KEPT || capacity / CAPACITY_EXCESS <= size);
}

/* Make room for `size` bytes in a slice's copy, and keep the bytes saved so
   far.  -1 when out of memory.  Apart from slice_save, which runs at each
   switch. */
static OUT_OF_LINE int
slice_reserve(struct stack *stack, struct slice *slice, size_t size)
{
    struct heap_copy *before = slice->copy;
    if (size > SLICE_DEEP && slice_capacity(slice) <= SLICE_DEEP
        && stack->deepens != NULL)
    {
        stack->deepens(stack, slice);
    }
    struct heap_copy *copy = NULL;
    if (size <= SLICE_LARGEST) {
        /* The first CACHE_LINE bytes are for `capacity` and the gap. */
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

/* Copy out the nearest `size` bytes of a slice that are not in the heap yet;
   its copy has room for them.  Never NULL. */
static inline void *
slice_copy_out(struct slice *slice, size_t size)
{
    size_t have = slice->saved_size;
    frames_forget(slice->near + have, slice->near + size);
    slice->saved_size = (uint32_t)size;
    return slice_copy(slice_copy_bytes(slice) + have, slice->near + have,
                      size - have);
}

/* The same if there is no such room yet.  NULL when out of memory. */
static HOT NOT_INLINED void *
slice_save(struct stack *stack, struct slice *slice, size_t size)
{
    if (!LIKELY(slice_fits(slice, size))
        && slice_reserve(stack, slice, size) < 0)
    {
        return NULL;
    }
    return slice_copy_out(slice, size);
}

#ifdef SLICE_POISON
static void
poison(char *near, const char *far)
{
    if (near < far) {
        memset(near, 0xDB, (size_t)(far - near));
    }
}

/* Overwrite what a successful save has vacated of the chain that began with
   `owner` when `left` was current.  Nearer than `sp` are the frames of the
   switch itself, if it runs on the shared stack. */
static void
stack_poison(const struct slice *left, const struct slice *owner, char *sp,
             const char *limit)
{
    if (left->has_own_stack) {
        sp = NULL;
    }
    else if (left->state == SLICE_DEAD) {
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
    slice->state = (uint8_t)to;
}

static inline struct fiber *
fiber_of(struct slice *slice)
{
#if HAS_FIBERS
    return &slice->fiber;
#else
    (void)slice;
    return NULL;
#endif
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
    fiber_adopt(fiber_of(first));
    stack->unreached = NULL;
    stack->shared = first;
    stack->entry = entry;
    stack->evicting = NULL;
    stack->deepens = NULL;
    memset(&stack->pool, 0, sizeof stack->pool);
}

HOT void
slice_init(struct slice *slice)
{
    memset(slice, 0, sizeof *slice);
}

HOT bool
slice_take_stack(struct stack *stack, struct slice *slice)
{
    struct mapped_stack *own = stack_pool_take(&stack->pool);
    if (own == NULL) {
        return false;
    }
    slice->own = own;
    slice->has_own_stack = true;
    return true;
}

HOT void
slice_die(struct slice *slice)
{
    fiber_end(fiber_of(slice));
    slice_move(slice, SLICE_DEAD);
}

void
slice_drop(struct stack *stack, struct slice *slice)
{
    struct slice **link = &stack->shared;
    while (*link != NULL && *link != slice) {
        link = &(*link)->older;
    }
    if (*link != NULL) {
        *link = slice->older;
        frames_forget(slice->near + slice->saved_size, slice->far);
    }
    slice_die(slice);
}

HOT void
slice_release(struct slice *slice)
{
    slice->saved_size = 0;
    if (slice->has_own_stack) {
        struct mapped_stack *own = slice->own;
        slice->has_own_stack = false;
        slice->copy = NULL;
        frames_forget(slice->near, slice->far);
        mapped_stack_give(own);
    }
    else {
        struct heap_copy *copy = slice->copy;
        slice->copy = NULL;
        free(copy);
    }
}

void
slice_retire_stack(struct slice *slice)
{
    assert(slice->has_own_stack && slice->state == SLICE_DEAD);
    mapped_stack_retire(slice->own, slice->near);
    slice->has_own_stack = false;
    slice->copy = NULL;
}

size_t
slice_kept(const struct slice *slice)
{
    if (slice->has_own_stack) {
        return slice_size(slice);
    }
    return slice->saved_size > stack_frame_size ? slice->saved_size
                                                : stack_frame_size;
}

struct slice *
stack_refuge(const struct stack *stack)
{
    return stack->current->has_own_stack ? stack->shared
                                         : stack->current->older;
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

/* How many bytes of `owner` the target is going to overwrite; they may be saved
   already. */
static inline ptrdiff_t
slice_overlap(const struct slice *owner, const struct slice *target)
{
    const char *limit
        = slice_is_in_the_way(owner, target) ? owner->far : target->far;
    return limit - owner->near;
}

/* Where on the shared stack a coroutine begins that `starter` starts at stack
   pointer `sp`: with a gap between the two, or in the place of a dead starter.
   A starter with a stack of its own has no place there.  What it starts begins
   where it would have begun itself, so that these coroutines take each other's
   place. */
static inline char *
stack_base(const struct slice *starter, const char *sp)
{
    if (starter->has_own_stack) {
        return starter->own->base;
    }
    if (starter->state == SLICE_DEAD) {
        return starter->far;
    }
    uintptr_t gap = ((uintptr_t)starter->far - (uintptr_t)sp) / GAP_SHARE;
    uintptr_t base = (uintptr_t)sp - (gap < GAP ? gap : GAP);
    return (char *)(base - base % CACHE_LINE);
}

static inline void
slice_begin(struct slice *slice, const struct slice *starter, const char *sp)
{
    char *base = stack_base(starter, sp);
    if (slice->has_own_stack) {
        slice->own->base = base;
        base = slice->own->top;
    }
    slice->near = base;
    slice->far = base;
}

static inline void *
stack_go(struct stack *stack, struct slice *head, struct slice *target)
{
    stack->shared = head;
    stack->current = target;
    return target;
}

/* Copy out what the target is going to overwrite of the slices of the chain
   from `owner` on, put the target before those that stay, and make it current.
   NULL when out of memory. */
static HOT NOT_INLINED void *
stack_evict(struct stack *stack, struct slice *owner, struct slice *target)
{
    for (; owner != target; owner = owner->older) {
        ptrdiff_t wanted = slice_overlap(owner, target);
        if (wanted > (ptrdiff_t)owner->saved_size) {
            if (owner->saved_size == 0 && stack->evicting != NULL) {
                stack->evicting(stack, owner);
            }
            if (slice_save(stack, owner, (size_t)wanted) == NULL) {
                stack->current->saved_size = 0;
                stack->unreached = target;
                return NULL;
            }
        }
        if (!slice_is_in_the_way(owner, target)) {
            target->older = owner;
            break;
        }
    }
    return stack_go(stack, target, target);
}

/* stack_save_bytes for a slice that ends, or to a slice that begins. */
static HOT NOT_INLINED void *
stack_save_at_end(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    struct slice *head = stack->shared;
    bool ends = current->state == SLICE_DEAD;

    if (target->state == SLICE_UNSTARTED) {
        slice_begin(target, current, sp);
    }
    if (!ends) {
        current->near = sp;
    }
    else if (!current->has_own_stack) {
        head = current->older;
    }
    if (target->has_own_stack) {
        (void)stack_go(stack, head, target);
    }
    else if (stack_evict(stack, head, target) == NULL) {
        return NULL;
    }
    if (ends) {
        frames_forget(sp, current->far);
        slice_release(current);
    }
    return target;
}

static inline void *
stack_save_bytes(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    struct slice *head = stack->shared;

    if (!LIKELY(current->state == SLICE_ACTIVE
                && target->state == SLICE_ACTIVE))
    {
        return stack_save_at_end(stack, target, sp);
    }
    current->near = sp;
    if (target->has_own_stack) {
        return stack_go(stack, head, target);
    }
    /* stack_evict alone would do.  These are short ways for the most frequent
       cases: the head of the chain has started the target, or the target has
       started the head. */
    ptrdiff_t wanted = slice_overlap(head, target);
    if (!slice_is_in_the_way(head, target)) {
        if (wanted <= (ptrdiff_t)head->saved_size && head != target) {
            target->older = head;
            return stack_go(stack, target, target);
        }
    }
    else if (head->older == target && head->saved_size == 0
             && stack->evicting == NULL && slice_fits(head, (size_t)wanted))
    {
        (void)stack_go(stack, target, target);
        return slice_copy_out(head, (size_t)wanted);
    }
    return stack_evict(stack, head, target);
}

/* Tell the sanitizers where a slice that is about to begin will run.  The
   slices of a chain share a stack. */
static inline void
place_fiber(struct slice *slice)
{
    if (slice->has_own_stack) {
        char *bottom = mapped_stack_bottom(slice->own);
        fiber_place(fiber_of(slice), bottom,
                    (size_t)(slice->own->top - bottom));
    }
    else {
        fiber_place_with(fiber_of(slice), fiber_of(slice->older));
    }
}

HOT RETURNS_ELSEWHERE void *
stack_save(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    bool ends = current->state == SLICE_DEAD;
#ifdef SLICE_POISON
    struct slice left = *current;
    const struct slice *head = stack->shared;
#endif
    void *saved = stack_save_bytes(stack, target, sp);
#ifdef SLICE_POISON
    if (saved != NULL && !target->has_own_stack) {
        stack_poison(&left, head, sp, target->far);
    }
#endif
    if (saved != NULL) {
        fiber_find(fiber_of(current));
        if (HAS_FIBERS && target->state == SLICE_UNSTARTED) {
            place_fiber(target);
        }
        fiber_leave(fiber_of(current), fiber_of(target), ends);
    }
    return saved;
}

HOT const char *
stack_restore(struct stack *stack, struct slice *target)
{
    const char *frame = target->near;
    if (target->saved_size > 0) {
        const char *copy = slice_copy_bytes(target);
        frames_forget(target->near, target->near + target->saved_size);
        (void)slice_copy(target->near, copy, target->saved_size);
        /* What memcpy has just written can be read only some time later. */
        if (LIKELY(target->saved_size >= stack_frame_size)) {
            frame = copy;
        }
        target->saved_size = 0;
    }
    else if (target->state == SLICE_UNSTARTED) {
        slice_move(target, SLICE_ACTIVE);
        frame = NULL;
    }
#ifdef SLICE_CHECK
    slice_check(stack);
#endif
    (void)stack;
    fiber_arrive(fiber_of(target));
    return frame;
}

void
slice_check(const struct stack *stack)
{
    const struct slice *slice = stack->current;
    must(slice->saved_size == 0, "the current slice has nothing saved", slice,
         slice->copy);
    if (slice->has_own_stack) {
        must(slice->far == slice->own->top,
             "a stack of its own is used from the top", slice->far, slice->own);
        slice = stack->shared;
    }
    must(slice == stack->shared, "the current slice is the head of the chain",
         slice, stack->shared);
    for (; slice->older != NULL; slice = slice->older) {
        const struct slice *older = slice->older;
        const char *older_near = older->near + older->saved_size;
        must(slice->state == SLICE_ACTIVE, "on the chain means active", slice,
             older);
        must(!slice->has_own_stack, "on the chain means on the shared stack",
             slice, older);
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
